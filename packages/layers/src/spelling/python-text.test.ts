/** Numbers as Python prints them, and texts with places. */
import { fc, test as property } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import { floatText, formatText } from './python-text.js'

const fill = (text: string, others: Record<string, number> = { val_loss: 0.125, acc: 0.98765 }): string =>
  formatText('path', text, { epoch: 7 }, others)

describe('formatText', () => {
  // Python: text.format(epoch=7, val_loss=0.125, acc=0.98765)
  test.each([
    ['{epoch}', '7'],
    ['{epoch:02d}|{epoch:03}|{epoch:3d}|{epoch:.1f}', '07|007|  7|7.0'],
    ['{val_loss}|{val_loss:.2f}|{val_loss:f}|{val_loss:08.3f}', '0.125|0.12|0.125000|0000.125'],
    ['{val_loss:.1e}|{acc:.1%}|{acc:7.2f}', '1.2e-01|98.8%|   0.99'],
    ['{{{epoch}}}', '{7}'],
    ['no places', 'no places'],
  ])('%s', (text, expected) => {
    expect(fill(text)).toBe(expected)
  })

  test('signs stand before the zeros, and what is not finite is named', () => {
    expect(fill('{a:07.2f}|{b:.2f}|{c}', { a: -1.5, b: Number.NaN, c: -Infinity })).toBe('-001.50|nan|-inf')
  })

  test('mistakes say what there is', () => {
    expect(() => fill('{vall_loss}')).toThrow(/no log "vall_loss"\. Did you mean "val_loss"\? There are: epoch, val_loss, acc/)
    expect(() => fill('{val_acc:.2f}')).toThrow(/need validationData or validationSplit/)
    expect(() => fill('{acc:02d}')).toThrow(/"d" is for whole numbers/)
    for (const format of ['g', '.2', '.2d', '>5d', ',']) expect(() => fill(`{epoch:${format}}`), format).toThrow(/is not known/)
    for (const brace of ['a{', 'a}b', '{a{b}']) expect(() => fill(brace), brace).toThrow(/stands alone/)
    expect(() => fill('{}')).toThrow(/no log ""/)
  })
})

describe('floatText', () => {
  test.each([
    [1, '1.0'],
    [0.1, '0.1'],
    [1e-4, '0.0001'],
    [1e-5, '1e-05'],
    [1.25e-7, '1.25e-07'],
    [123456789012345680, '1.2345678901234568e+17'],
    [1e15, '1000000000000000.0'],
    [1e16, '1e+16'],
    [-0, '-0.0'],
    [Number.NaN, 'nan'],
    [-Infinity, '-inf'],
  ])('%s is %s', (value, expected) => {
    expect(floatText(value)).toBe(expected)
  })
  property.prop({ value: fc.double({ noNaN: true, noDefaultInfinity: true }) })('is read back as the same number', ({ value }) => {
    expect(Number(floatText(value))).toBe(value)
  })
})
