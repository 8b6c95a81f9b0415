const { types } = require('node:util');
const { TestEnvironment } = require('jest-environment-node');

const inherited = Function.prototype[Symbol.hasInstance];

/**
 * Jest runs a test in a realm of its own, so an error that Node.js itself throws, of a missing file
 * or a refused connection, is there no `instanceof Error`, though in production it is one. Here
 * the errors of both realms are.
 */
class OneRealmOfErrors extends TestEnvironment {
  constructor(...args) {
    super(...args);
    for (const outer of [Error, TypeError, RangeError, SyntaxError, ReferenceError]) {
      const inner = this.global[outer.name];
      Object.defineProperty(inner, Symbol.hasInstance, {
        value(candidate) {
          if (inherited.call(this, candidate)) return true;
          return this === inner && types.isNativeError(candidate) && candidate instanceof outer;
        },
      });
    }
  }
}

module.exports = OneRealmOfErrors;
