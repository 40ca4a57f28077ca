import type { ProblemCode } from '../src/problem.ts'

/** What each named check demands, in one sentence, for docs/reports.md. */
export const checkWordings: Readonly<Partial<Record<ProblemCode, string>>> = {
  ack_before_issued: 'An acknowledgement cannot be due before the warning is issued.',
  answer_ambiguous: 'An answer to a question has exactly one value.',
  answer_repeated: 'A response answers each question once.',
  answer_without_request: 'Whatever is no request names the request in `meta.references`.',
  choices_missing: 'A question that is answered by a choice lists the choices.',
  closed_without_evidence: 'A recommendation is closed only with evidence.',
  closure_not_closed: 'A closure has the state `closed`.',
  confidence_mismatch:
    '`confidence` follows from `information`: 1 gives 90, 2 gives 70, 3 gives 50, 4 gives 30, 5 gives 10; with 6 it is left out.',
  coordinates_too_fine:
    'Places in a report on a camp are given to about a kilometre at best: two decimals, a grid square of 1 km, `errorMetres` of 1000 or more, never `exact`; in texts and extensions too.',
  count_out_of_range: 'A count lies within its own estimate; a part is not larger than the whole.',
  country_unknown:
    'A country is one of the 249 codes of ISO 3166-1 alpha-2. Of codes of subdivisions and languages only the form is checked.',
  decided_after_issued:
    'A measure is decided before its notice is issued, one day of time zones apart.',
  derivation_repeated: 'A report is made from each other one once.',
  due_before_issued: 'Answers cannot be due before the question or the questionnaire is issued.',
  due_by_mismatch: '`dueBy` is `decided` plus 14 days.',
  effective_before_decided: 'A measure does not take effect before it is decided.',
  ends_before_decided: 'A measure does not end before it is decided.',
  ends_before_effective: 'A measure does not end before it takes effect.',
  exercise_field_in_actual: 'An actual report has no made-up field.',
  exercise_field_unknown: 'Each pointer in `x.exercise_fields` leads to a field of the report.',
  invisible_text:
    'A text shows something, and hides nothing: no text of invisible characters only, and no tag characters (U+E0000 to U+E007F) anywhere.',
  language_repeated: 'A text is given once for each language.',
  last_seen_before_first_seen: '`lastSeen` is not before `firstSeen`.',
  latest_useful_before_due: '`latestUseful` is not before `due`.',
  legal_basis_missing: 'Naming a natural person needs a legal basis.',
  mgrs_invalid: 'The grid reference names a square that exists.',
  mgrs_mismatch: 'The point lies in the square of the grid reference, as far as its decimals say.',
  need_not_linked: 'A commitment and a delivery name what they answer.',
  next_before_period_end: 'The next report is not due within the period of this one.',
  observed_after_issued: 'Nothing is observed after it was reported.',
  observed_ends_after_issued:
    'What was observed ended before it was reported, or within the hour, day, week or month of its `precision`.',
  period_reversed: 'A period does not end before it begins.',
  personal_identifier:
    'A report on a camp has no mail address, no telephone or identity number, no natural person as actor, and no extension field for personal data (`name`, `phoneNumber`, `date_of_birth`). Eight digits, with or without marks between them, count as such a number unless they are a date, a time, years, or an amount in groups of three that ends in 000. Names and numbers in words cannot be recognised: leave them out.',
  progress_without_recommendation:
    'Progress and closure name the recommendation in `meta.references`.',
  question_repeated: 'Each question has a name of its own.',
  range_reversed: 'The highest estimate is not below the lowest.',
  reference_not_by_hash:
    'What proves something is named by the core hash of its envelope, so that it is clear which bytes were meant.',
  reference_repeated: 'A reference is given once.',
  references_itself: 'A report does not refer to itself.',
  ring_open: 'The last position of a ring repeats the first.',
  same_country: 'The two countries of a border differ.',
  serial_of_several: 'A serial number is that of one item.',
  small_count:
    'A number of persons or households in a report on a camp is 0, or ten or more; from 1 to 9 it is left out. In extensions this holds for every whole number but a version, page, level, priority or the like.',
  small_count_derivable:
    'A number from 1 to 9 does not follow from the others: not as what a group, or the given groups of one sex or age, leave of the whole.',
  subdivision_mismatch: 'The subdivision belongs to the country.',
  tlp_in_text:
    'A report has one TLP label, `meta.handling.tlp`; no text of it, wherever it stands, names another.',
  tracing_without_marks: 'Tracing needs a serial number, lot marks or a blind token.',
  valid_until_before_issued: '`validUntil` is not before `issued`.',
}

/** When to use each type of report, for docs/reports.md. */
export const typeWordings: Readonly<Record<string, string>> = {
  spotrep:
    'One thing that was seen, reported at once. Say what you saw and leave out what you do not know; an update replaces the first word later.',
  intrep: 'What is known about one topic, with facts apart from judgements.',
  intsum:
    'What a period brought, over one or several countries: which reports matter, which way each theme goes.',
  sitrep:
    'How things stand in a country or a crisis: political, security, humanitarian, borders. Each one supersedes the one before.',
  warning:
    'A threat that somebody has to act on. Urgency, severity and certainty are those of the Common Alerting Protocol.',
  rfi: 'A question to other members, and everything that answers it: answer, interim answer, refusal, referral.',
  'border-measure':
    'A measure at a border and how it is carried out. The African Union Commission must have it within two weeks.',
  'actor-profile':
    'What is known about a group, a militia or a network. Later reports refer to it instead of repeating it.',
  seizure:
    'What was seized, where it came from and what became of it. Marks and blind tokens let members find that they hold parts of one lot.',
  'capacity-need':
    'A need for training, equipment or other support; then the offer, the commitment and the delivery that answer it.',
  assessment:
    'An assessment mission: its notice, what it found, what it recommends, and how each recommendation stands until evidence closes it.',
  'humanitarian-site':
    'The security of a camp or another site. It serves the people there, and must not harm them: no personal identifier, no exact place, no number from 1 to 9.',
  meeting: 'A meeting: notice, agenda, participation, conclusions, and who does what by when.',
  questionnaire:
    'Questions with a form for their answers, the responses of members, and the report made from them.',
}
