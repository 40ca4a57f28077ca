import { handlingCode, precedenceCode, tlpLabels } from '@liaison/schemas'
import t from 'tap'

t.test('numbers of the header', (t) => {
  const report = (tlp: (typeof tlpLabels)[number], precedence: 'routine' | 'flash') => ({
    meta: { handling: { tlp }, precedence },
  })
  t.same(
    tlpLabels.map((tlp) => handlingCode(report(tlp, 'routine'))),
    [0, 1, 2, 3, 4],
  )
  t.equal(handlingCode(report('AMBER+STRICT', 'flash')), 3)
  t.equal(precedenceCode(report('RED', 'routine')), 0)
  t.equal(precedenceCode(report('RED', 'flash')), 3)
  t.end()
})
