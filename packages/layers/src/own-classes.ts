/**
 * The classes of this package. A training step is recorded and done again without its program (`compileStep` of core) only if all its parts are known to do
 * nothing but call ops: classes of the user's may count steps or look at the clock.
 */

const own = new WeakSet<object>()

/**
 * Notes that a class belongs to this package, and gives its name: `readonly className = ours(Dense, 'Dense')`. The initializer of a subclass of the user's
 * notes the class that it extends, not the subclass.
 */
export function ours<Name extends string>(owner: object, className: Name): Name {
  own.add(owner)
  return className
}

/** Notes an object that this package made, such as a constraint. */
export function made<T extends object>(object: T): T {
  own.add(object)
  return object
}

/** Whether an object, or its class, is of this package. */
export const isOurs = (object: object): boolean => own.has(object) || own.has(object.constructor)
