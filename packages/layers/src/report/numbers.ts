/** Numbers of a record, and as people read them. */

/** A finite number, or null. JSON has no other. */
export const finite = (value: number): number | null => (Number.isFinite(value) ? value : null)

/** Four digits: a picture shows no more, and a record stays small. */
export const shortened = (value: number): number => Number(value.toPrecision(4))

/** Three digits, for people. */
export const digits = (value: number): string => String(Number(value.toPrecision(3)))

/** 60000 → `60,000`. */
export const grouped = (count: number): string => String(count).replace(/\B(?=(\d{3})+$)/g, ',')
