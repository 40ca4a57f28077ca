import t from 'tap'
import { corroborationOf, type ThreadItem } from '../../../../client-sdk/src/threads/index.ts'
import { coreOf, delivered, feedback, idOf, spotrep } from '../../../support/deliveries.ts'

type Relation = 'quotes' | 'summarises' | 'confirms' | 'contradicts'

const report = (
  n: number,
  member: string,
  from: readonly (readonly [number, Relation])[] = [],
  more: { readonly meta?: object; readonly body?: object } = {},
): ThreadItem =>
  delivered({
    n,
    member,
    issued: `17T${String(n).padStart(2, '0')}:00:00`,
    body: {
      ...spotrep,
      derivedFrom: from.map(([source, relation]) => ({ id: idOf(source), relation })),
      ...more.body,
    },
    ...(more.meta === undefined ? {} : { meta: more.meta }),
  })

t.test('a report alone has one source; a second that saw it too makes two', (t) => {
  t.match(corroborationOf([report(1, 'ML')], idOf(1)), { sources: 1, circular: [], missing: [] })
  const two = corroborationOf([report(1, 'ML'), report(2, 'NE', [[1, 'confirms']])], idOf(1))
  t.equal(two?.sources, 2)
  t.same(
    two?.support.map(({ member, source, echo }) => [member, source, echo]),
    [
      ['ML', 1, false],
      ['NE', 2, false],
    ],
  )
  t.equal(corroborationOf([], idOf(1)), null)
  t.end()
})

t.test('an echo counts once, however many members repeat it', (t) => {
  const items = [
    report(1, 'ML'),
    report(2, 'NE', [[1, 'quotes']]),
    report(3, 'DZ', [[2, 'summarises']]),
    report(4, 'FLU', [
      [3, 'summarises'],
      [1, 'confirms'],
    ]),
    report(5, 'MR', [
      [2, 'quotes'],
      [1, 'confirms'],
    ]),
    report(6, 'BF', [[1, 'confirms']]),
  ]
  const found = corroborationOf(items, coreOf(1))
  t.equal(found?.sources, 2)
  t.same(
    found?.support.map(({ id, echo }) => [id, echo]),
    [
      [idOf(1), false],
      [idOf(4), true],
      [idOf(5), true],
      [idOf(6), false],
    ],
  )
  t.end()
})

t.test('one public document, or one source of one member, is one source', (t) => {
  const document = (title: string): object => ({ sources: [{ title, symbol: 'S/2013/163' }] })
  const same = [
    report(1, 'ML', [], { meta: document('Communiqué') }),
    report(2, 'NE', [[1, 'confirms']], { meta: document('Communiqué, in translation') }),
  ]
  t.equal(corroborationOf(same, idOf(1))?.sources, 1)
  const graded = (sourceRef: string): object => ({
    grading: { source: 'B', information: 2, sourceRef },
  })
  const of = (member: string, ref: string): number | undefined =>
    corroborationOf(
      [
        report(1, 'ML', [], { body: graded('s-1') }),
        report(2, member, [[1, 'confirms']], { body: graded(ref) }),
      ],
      idOf(1),
    )?.sources
  t.equal(of('ML', 's-1'), 1)
  t.equal(of('ML', 's-2'), 2)
  t.equal(of('NE', 's-1'), 2, 'another member gives its own names')
  t.end()
})

t.test('two reports that rest on one that is not held are one source, and it is named', (t) => {
  const items = [
    report(1, 'ML', [[9, 'summarises']]),
    report(2, 'NE', [
      [9, 'quotes'],
      [1, 'confirms'],
    ]),
  ]
  t.match(corroborationOf(items, idOf(1)), { sources: 1, missing: [idOf(9)] })
  t.end()
})

t.test('reports that rest on one another are told as a ring', (t) => {
  const items = [
    report(1, 'ML', [[3, 'quotes']]),
    report(2, 'NE', [[1, 'summarises']]),
    report(3, 'DZ', [
      [2, 'quotes'],
      [1, 'confirms'],
    ]),
  ]
  const found = corroborationOf(items, idOf(1))
  t.equal(found?.sources, 1)
  const rings = found?.circular.map((ring) => [...ring].sort().join()) ?? []
  t.same(
    [...rings].sort(),
    [[coreOf(1), coreOf(3)].sort().join(), [coreOf(1), coreOf(2), coreOf(3)].sort().join()].sort(),
  )
  t.same(
    corroborationOf(
      [report(1, 'ML', [[2, 'confirms']]), report(2, 'NE', [[1, 'confirms']])],
      idOf(1),
    )?.circular.length,
    1,
    'two that lean on each other',
  )
  t.end()
})

t.test('what contradicts is told; what was withdrawn or replaced supports nothing', (t) => {
  const items = [
    report(1, 'ML'),
    report(2, 'NE', [[1, 'confirms']]),
    report(3, 'NE', [], { meta: { msgType: 'cancel', references: [idOf(2)] } }),
    report(4, 'DZ', [[1, 'contradicts']]),
    feedback({ n: 5, member: 'MR', issued: '17T20:00:00' }, idOf(1), 'confirms'),
  ]
  const found = corroborationOf(items, idOf(1))
  t.same(
    found?.support.map(({ member }) => member),
    ['ML', 'MR'],
  )
  t.same(found?.contradictedBy, [coreOf(4)])
  t.end()
})
