/**
 * A pickle of a NumPy array of lists of whole numbers, and of nothing else: what `imdb.npz` holds.
 *
 * A pickle is a program for a stack machine that may import and call anything. This machine knows lists, numbers and the three names an
 * array of objects is made with; it calls nothing, and every other name or instruction is an error that says which. Numbers go straight
 * into one growing Int32Array, and other values are counted against the number of lists that is expected, so memory is of the order of the
 * data. Reference: Python's Lib/pickletools.py.
 */
import { DatasetError } from '../errors.js'
import { IntegerPool, type Span } from './integer-pool.js'
import { known, refused } from './pickle-names.js'

/** Lists of whole numbers, each a view of one shared memory. */
export type IntegerLists = readonly Int32Array[]

/** A list: whole numbers in the pool, or other values. */
interface List extends Span {
  readonly items: Value[]
}
/** Stands for a name, an array under construction, or a value that is only passed over. */
type Value =
  | { readonly kind: 'list'; readonly list: List }
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'array'; state?: Value }
  | { readonly kind: 'dtype' }
  | { readonly kind: 'tuple'; readonly items: readonly (Value | number)[] }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'none' | 'bool' }
type Item = Value | number

/** An array takes three tuples and some ten names and texts, whatever it holds. */
const besidesLists = 100

const none: Value = { kind: 'none' }
const bool: Value = { kind: 'bool' }

const only = 'only NumPy arrays of lists of whole numbers are read, and nothing is executed'
const hex = (code: number): string => code.toString(16).padStart(2, '0')

class Machine {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  #at = 0
  readonly #pool = new IntegerPool()
  #stack: Item[] = []
  /** The positions of the marks in the stack. */
  readonly #marks: number[] = []
  readonly #memo: (Item | undefined)[] = []
  /** The number of values other than numbers that may still be made. */
  #left: number

  readonly #lists: number

  /** @param lists how many lists of numbers there are at most */
  constructor(bytes: Uint8Array, lists: number) {
    this.#bytes = bytes
    this.#lists = lists
    this.#left = lists + besidesLists
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  }

  #fail(problem: string): never {
    throw new DatasetError(`pickle, byte ${this.#at}: ${problem}`)
  }

  #take(count: number): number {
    const at = this.#at
    if (count < 0 || count > this.#bytes.length - at)
      return this.#fail(`truncated: ${count} more bytes expected, ${this.#bytes.length - at} left`)
    this.#at += count
    return at
  }

  #text(length: number): string {
    const at = this.#take(length)
    return new TextDecoder().decode(this.#bytes.subarray(at, at + length))
  }

  #line(): string {
    const end = this.#bytes.indexOf(10, this.#at)
    if (end < 0) return this.#fail('truncated inside a name')
    const text = this.#text(end - this.#at)
    this.#at++
    return text
  }

  #pop(): Item {
    return this.#stack.pop() ?? this.#fail('the stack is empty')
  }

  #popMark(): number {
    const from = this.#marks.pop()
    return from !== undefined && from <= this.#stack.length ? from : this.#fail('there is no mark on the stack')
  }

  /** Puts a value that takes memory of its own on the stack. */
  #make(value: Value): void {
    if (this.#left-- <= 0) this.#fail('more lists than its header announces, or other values')
    this.#stack.push(value)
  }

  /** Memo numbers go up one by one (from 1 in Python 2), or one instruction could ask for an array of 2^32. */
  #store(index: number): void {
    if (index > this.#memo.length + 1) this.#fail(`memo number ${index} out of order`)
    this.#memo[index] = this.#stack.at(-1) ?? this.#fail('nothing to remember')
  }

  #recall(index: number): Item {
    return this.#memo[index] ?? this.#fail(`memo number ${index} was never stored`)
  }

  #name(name: string): Value {
    if (!Object.hasOwn(known, name)) {
      this.#fail(`it asks for "${name.replace(' ', '.')}", which is refused: ${only}`)
    }
    return { kind: 'name', name }
  }

  #call(f: Item, args: Item): Value {
    if (typeof f === 'number' || f.kind !== 'name') return this.#fail('it calls what is no function')
    if (typeof args === 'number' || args.kind !== 'tuple') return this.#fail('it calls without arguments')
    const gives = known[f.name]
    if (gives === 'text') return { kind: 'text', text: '' }
    if (gives) return { kind: gives }
    return this.#fail(`it calls "${f.name.replace(' ', '.')}", which is refused`)
  }

  #append(target: Item | undefined, from: number): void {
    const stack = this.#stack
    if (target === undefined || typeof target === 'number' || target.kind !== 'list') this.#fail('it appends to what is no list')
    const { list } = target
    this.#pool.reopen(list)
    // A number takes two bytes or more, so this is no array but a way to ask for memory.
    if (this.#pool.used > this.#bytes.length) this.#fail('it goes back to finished lists over and over')
    for (let i = from; i < stack.length; i++) {
      const item = stack[i]
      if (typeof item === 'number') this.#pool.push(list, item)
      else list.items.push(item)
    }
    if (list.items.length > 0 && list.end > list.begin) this.#fail('a list of both numbers and other things')
    stack.length = from
  }

  /** A little-endian number of up to 255 bytes that must fit int32. */
  #long(length: number): number {
    const at = this.#take(length)
    if (length > 8) return this.#fail(`a number of ${length} bytes, which int32 cannot hold`)
    let value = 0n
    for (let i = length - 1; i >= 0; i--) value = (value << 8n) | BigInt(this.#bytes[at + i])
    const number = Number(BigInt.asIntN(8 * length, value))
    return number === (number | 0) ? number : this.#fail(`the number ${number}, which int32 cannot hold`)
  }

  #tuple(count: number): void {
    if (count > this.#stack.length) this.#fail('the stack is empty')
    this.#make({ kind: 'tuple', items: this.#stack.splice(this.#stack.length - count) })
  }

  #build(): void {
    const state = this.#pop()
    const target = this.#stack.at(-1)
    if (target === undefined || typeof target === 'number' || (target.kind !== 'array' && target.kind !== 'dtype')) {
      this.#fail('it gives a state to what has none')
    }
    if (target.kind === 'array') target.state = typeof state === 'number' ? undefined : state
  }

  /** Runs to STOP and gives the value on top. */
  run(): Item {
    const bytes = this.#bytes
    const view = this.#view
    const stack = this.#stack
    for (;;) {
      const code = bytes[this.#take(1)]
      switch (code) {
        case 0x4b: // BININT1
          stack.push(bytes[this.#take(1)])
          break
        case 0x4d: // BININT2
          stack.push(view.getUint16(this.#take(2), true))
          break
        case 0x4a: // BININT
          stack.push(view.getInt32(this.#take(4), true))
          break
        case 0x8a: // LONG1
          stack.push(this.#long(bytes[this.#take(1)]))
          break
        case 0x28: // MARK
          this.#marks.push(stack.length)
          break
        case 0x5d: // EMPTY_LIST
          this.#make({ kind: 'list', list: { ...this.#pool.open(), items: [] } })
          break
        case 0x65: {
          // APPENDS
          const from = this.#popMark()
          this.#append(stack[from - 1], from)
          break
        }
        case 0x61: // APPEND
          this.#append(stack.at(-2), stack.length - 1)
          break
        case 0x71: // BINPUT
          this.#store(bytes[this.#take(1)])
          break
        case 0x72: // LONG_BINPUT
          this.#store(view.getUint32(this.#take(4), true))
          break
        case 0x94: // MEMOIZE
          this.#store(this.#memo.length)
          break
        case 0x68: // BINGET
          stack.push(this.#recall(bytes[this.#take(1)]))
          break
        case 0x6a: // LONG_BINGET
          stack.push(this.#recall(view.getUint32(this.#take(4), true)))
          break
        case 0x63: // GLOBAL
          this.#make(this.#name(`${this.#line()} ${this.#line()}`))
          break
        case 0x93: {
          // STACK_GLOBAL
          const [name, module] = [this.#pop(), this.#pop()]
          const text = (item: Item): string =>
            typeof item !== 'number' && item.kind === 'text' ? item.text : this.#fail('a name that is no text')
          this.#make(this.#name(`${text(module)} ${text(name)}`))
          break
        }
        case 0x52: {
          // REDUCE
          const args = this.#pop()
          this.#make(this.#call(this.#pop(), args))
          break
        }
        case 0x62: // BUILD
          this.#build()
          break
        case 0x74: // TUPLE
          this.#tuple(stack.length - this.#popMark())
          break
        case 0x29: // EMPTY_TUPLE
        case 0x85: // TUPLE1
        case 0x86: // TUPLE2
        case 0x87: // TUPLE3
          this.#tuple(code === 0x29 ? 0 : code - 0x84)
          break
        case 0x43: // SHORT_BINBYTES
        case 0x55: // SHORT_BINSTRING
        case 0x8c: // SHORT_BINUNICODE
          this.#make({ kind: 'text', text: this.#text(bytes[this.#take(1)]) })
          break
        case 0x54: // BINSTRING
        case 0x58: // BINUNICODE
        case 0x42: // BINBYTES
          this.#make({ kind: 'text', text: this.#text(view.getUint32(this.#take(4), true)) })
          break
        case 0x4e: // NONE
          stack.push(none)
          break
        case 0x88: // NEWTRUE
        case 0x89: // NEWFALSE
          stack.push(bool)
          break
        case 0x80: // PROTO
          this.#take(1)
          break
        case 0x95: // FRAME
          this.#take(8)
          break
        case 0x2e: // STOP
          return this.#pop()
        default:
          this.#fail(`the instruction ${refused.get(code) ?? ''} ${hex(code)} is refused: ${only}`.replace('  ', ' '))
      }
    }
  }

  /** The lists of the array of objects. */
  lists(): IntegerLists {
    const top = this.run()
    const state = typeof top !== 'number' && top.kind === 'array' ? top.state : undefined
    const content = state?.kind === 'tuple' ? state.items.at(-1) : undefined
    if (typeof content !== 'object' || content.kind !== 'list') return this.#fail('expected an array of lists')
    if (content.list.end > content.list.begin) return this.#fail('expected lists of numbers, found numbers')
    if (content.list.items.length > this.#lists) return this.#fail(`it holds ${content.list.items.length} lists, expected ${this.#lists}`)
    return content.list.items.map((item, i) => {
      if (item.kind !== 'list' || item.list.items.length > 0) return this.#fail(`item ${i} is no list of whole numbers`)
      return this.#pool.view(item.list)
    })
  }
}

/**
 * The lists of a pickled NumPy array of lists of whole numbers. Nothing is imported, called or executed.
 *
 * @param lists the largest number of lists
 * @throws DatasetError for a name other than NumPy's for arrays, and for an instruction other than those for lists, numbers and arrays, with its name
 * and position; for a truncated pickle, numbers beyond int32, a value of another form, and more lists than expected.
 */
export const unpickleLists = (bytes: Uint8Array, lists: number): IntegerLists => new Machine(bytes, lists).lists()
