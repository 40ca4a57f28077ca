import type { Questionnaire } from '../generated/types.ts'
import { type Problem, problem } from '../problem.ts'
import { isBefore } from './meta.ts'
import { isCoreHash } from './reference.ts'

type Questions = NonNullable<Questionnaire['questions']>
type Answers = NonNullable<Questionnaire['answers']>

/** What holds within one message; whether answers fit their questions needs both messages. */
export function checkQuestionnaire(report: Questionnaire): readonly Problem[] {
  const { answers = [], citations = [], due, meta, questions = [], questionnaire } = report
  const problems = [...checkQuestions(questions), ...checkAnswers(answers)]
  if (due !== undefined && isBefore(due, meta.issued)) {
    problems.push(problem('/due', 'due_before_issued'))
  }
  if (questionnaire === meta.id) problems.push(problem('/questionnaire', 'references_itself'))
  citations.forEach(({ response }, index) => {
    if (!isCoreHash(response)) {
      problems.push(problem(`/citations/${index}/response`, 'reference_not_by_hash'))
    }
  })
  return problems
}

function checkQuestions(questions: Questions): Problem[] {
  return questions.flatMap(({ answer, id, text }, index) => {
    const at = `/questions/${index}`
    const problems: Problem[] = []
    if (questions.findIndex((other) => other.id === id) !== index) {
      problems.push(problem(`${at}/id`, 'question_repeated'))
    }
    problems.push(...repeatedLanguages(text, `${at}/text`))
    const { choices = [], kind, max, min } = answer
    if ((kind === 'choice' || kind === 'choices') && choices.length === 0) {
      problems.push(problem(`${at}/answer/choices`, 'choices_missing'))
    }
    choices.forEach((choice, at2) => {
      problems.push(...repeatedLanguages(choice.text, `${at}/answer/choices/${at2}/text`))
    })
    if (min !== undefined && max !== undefined && max < min) {
      problems.push(problem(`${at}/answer/max`, 'range_reversed'))
    }
    return problems
  })
}

const repeatedLanguages = (
  texts: readonly { readonly lang: string }[],
  pointer: string,
): readonly Problem[] =>
  texts.flatMap(({ lang }, index) =>
    texts.findIndex((other) => other.lang === lang) === index
      ? []
      : [problem(`${pointer}/${index}/lang`, 'language_repeated')],
  )

const values = ['text', 'yes', 'number', 'date', 'choices'] as const

function checkAnswers(answers: Answers): readonly Problem[] {
  return answers.flatMap((answer, index) => {
    const problems: Problem[] = []
    const at = `/answers/${index}`
    if (answers.findIndex(({ question }) => question === answer.question) !== index) {
      problems.push(problem(`${at}/question`, 'answer_repeated'))
    }
    if (values.filter((name) => answer[name] !== undefined).length > 1) {
      problems.push(problem(at, 'answer_ambiguous', { fields: values }))
    }
    return problems
  })
}
