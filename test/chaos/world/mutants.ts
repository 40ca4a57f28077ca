/** Relays that do one thing wrong: the checker must notice each of them. Only the harness has them. */
import { leafHash, RelayError, sha256 } from '@liaison/protocol'
import type {
  AcceptedPlace,
  AcceptOutcome,
  AcceptRequest,
  LogListener,
  RelayLog,
  StoredEnvelope,
} from '@liaison/server'
import { Sessions } from '../../../server/src/session/sessions.ts'
import { pause } from './processes.ts'

/** Names of the defects, and what each does. */
export const mutants = {
  'ack-before-append': 'acknowledges before the log has it',
  'drop-one': 'leaves out one envelope in twenty at delivery',
  'duplicate-one': 'delivers one envelope in twenty twice',
  'deliver-after-suspension': 'does not cut off a suspended device',
  'forget-leaf': 'loses one audit leaf in twenty',
  'swap-two': 'delivers neighbours in the wrong order',
  'ignore-fence': 'appends although the directory has grown',
  'swallow-error': 'takes an error of the log for a success',
} as const

/** A defect. */
export type Mutant = keyof typeof mutants

/** What a defect needs to do its damage. */
export interface MutantTools {
  /** Deletes an audit leaf behind the log's back. */
  readonly deleteLeaf: (index: number) => Promise<void>
}

/** Hears of growth as a relay with this defect does. */
export function mutantListener(mutant: Mutant | null, listener: LogListener): LogListener {
  if (mutant !== 'ignore-fence') return listener
  return {
    topicGrew: (topic) => listener.topicGrew(topic),
    acksGrew: (member) => listener.acksGrew(member),
    // Late, so that the fence is what stands between.
    directoryGrew: () => void setTimeout(() => listener.directoryGrew(), 3_000).unref(),
  }
}

/** A log with this defect. */
export function mutantLog(mutant: Mutant | null, log: RelayLog, tools: MutantTools): RelayLog {
  if (mutant === null) return log
  if (mutant === 'deliver-after-suspension') {
    Sessions.prototype.enforce = () => []
    return log
  }
  const defects = defectsOf(mutant, log, tools)
  return new Proxy(log, {
    get(target, name) {
      const defect: unknown = Reflect.get(defects, name)
      if (defect !== undefined) return defect
      const value: unknown = Reflect.get(target, name)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}

type Defects = Partial<Pick<RelayLog, 'accept' | 'readTopic'>>

function defectsOf(mutant: Mutant, log: RelayLog, tools: MutantTools): Defects {
  const reading = (change: (read: StoredEnvelope[]) => StoredEnvelope[]): Defects => ({
    readTopic: async (topic, after, max) => change(await log.readTopic(topic, after, max)),
  })
  switch (mutant) {
    case 'ack-before-append':
      return { accept: (request) => ackFirst(log, request) }
    case 'drop-one':
      return reading((read) => read.filter(({ cursor }) => cursor % 20 !== 7))
    case 'duplicate-one':
      return reading((read) => read.flatMap((e) => (e.cursor % 20 === 7 ? [e, e] : [e])))
    case 'swap-two':
      return reading(swapped)
    case 'forget-leaf':
      return {
        async accept(request) {
          const outcome = await log.accept(request)
          if (outcome.kind === 'accepted' && outcome.place.cursor % 20 === 7) {
            await tools.deleteLeaf(outcome.place.leaf.index)
          }
          return outcome
        },
      }
    case 'ignore-fence':
      return { accept: (request) => unfenced(log, request) }
    case 'swallow-error':
      return {
        accept: (request) =>
          log.accept(request).catch((error: unknown): AcceptOutcome => {
            if (!(error instanceof RelayError)) throw error
            return { kind: 'accepted', place: invented(log, request) }
          }),
      }
    case 'deliver-after-suspension':
      return {}
  }
}

/** Where the envelope would stand if it stood there. */
const invented = (log: RelayLog, { core, topic, t }: AcceptRequest): AcceptedPlace => ({
  core,
  topic,
  cursor: log.topicHead(topic) + 1,
  leaf: { index: log.leafCount(), hash: leafHash(sha256(core)) },
  t,
})

async function ackFirst(log: RelayLog, request: AcceptRequest): Promise<AcceptOutcome> {
  const place = invented(log, request)
  void pause(300)
    .then(() => log.accept(request))
    .catch(() => undefined)
  return { kind: 'accepted', place }
}

async function unfenced(log: RelayLog, request: AcceptRequest): Promise<AcceptOutcome> {
  const outcome = await log.accept(request)
  return outcome.kind === 'fence' ? log.accept({ ...request, fence: outcome.size }) : outcome
}

function swapped(read: StoredEnvelope[]): StoredEnvelope[] {
  const out = [...read]
  for (let at = 0; at + 1 < out.length; at += 2) {
    const [a, b] = [out[at], out[at + 1]] as [StoredEnvelope, StoredEnvelope]
    out[at] = b
    out[at + 1] = a
  }
  return out
}
