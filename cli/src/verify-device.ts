import type { Command } from 'commander'
import { type Context, type Options, type Process, runs } from './context.ts'
import { openSession } from './device-access.ts'
import { confirmByName } from './prompts.ts'

/** Adds `liaison verify-device`. */
export function addVerifyDevice(program: Command, from: Process): void {
  const verify = program
    .command('verify-device')
    .description("compare the devices of a member with the member's own people, by voice")
    .argument('<member>', 'code of the member, such as ML')
    .option('--show', 'show the forty digits only')
    .option('--how <text>', 'how they were compared', 'by voice')
    .option('--confirm <code>', 'the code again, for scripts: the digits were compared')
    .option('--offline', 'as of the last connection')
    .option('--relay <url>', 'another relay than that of the network file')
    .addHelpText('after', '\nExample:\n  $ liaison verify-device ML\n')
  runs(verify, from, verifyDevice)
}

async function verifyDevice(
  context: Context,
  [code = '']: readonly string[],
  options: Options,
): Promise<void> {
  const offline = options.flag('offline')
  await using opened = await openSession(context, {
    relay: options.text('relay'),
    waitSeconds: offline ? 0 : 10,
    offline,
    follow: [],
  })
  const { members } = opened.session
  const number = members.safetyNumber(code)
  context.out.say(
    `The forty digits of ${code}, over all its devices:`,
    `  ${number}`,
    `Call somebody of ${code} whom you know. They read theirs with: liaison verify-device ${code} --show`,
  )
  const onlyShown = options.flag('show')
  if (!onlyShown) {
    await confirmByName(
      context,
      `All forty digits of ${code} are the same at both ends`,
      code,
      options.text('confirm'),
    )
    await members.markVerified(code, options.text('how') ?? 'by voice')
  }
  const verification = members.get(code)?.verification ?? null
  context.out.data({ member: code, number, verification }, () => [
    onlyShown ? number : `${code} is verified. A device that is added later is told.`,
  ])
}
