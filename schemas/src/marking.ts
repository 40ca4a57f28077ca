import type { Meta } from './generated/types.ts'

/** Labels of the Traffic Light Protocol 2.0, least to most restricted; the index is `ctx.hc`. */
export const tlpLabels = ['CLEAR', 'GREEN', 'AMBER', 'AMBER+STRICT', 'RED'] as const

/** One TLP label. */
export type Tlp = (typeof tlpLabels)[number]

const precedences = ['routine', 'priority', 'immediate', 'flash'] as const

type Marked = { readonly meta: Pick<Meta, 'handling' | 'precedence'> }

/** Number of a report's TLP label, 0 (CLEAR) to 4 (RED), as the header carries it in `hc`. */
export const handlingCode = (report: Marked): number => tlpLabels.indexOf(report.meta.handling.tlp)

/** Number of a report's precedence, 0 (routine) to 3 (flash), as the header carries it in `pr`. */
export const precedenceCode = (report: Marked): number =>
  precedences.indexOf(report.meta.precedence)
