/** Puts another method in the place of one. @returns what puts it back */
export function replace<Of extends object, Name extends keyof Of>(
  prototype: Of,
  name: Name,
  make: (original: Of[Name]) => Of[Name],
): () => void {
  const original = prototype[name];
  prototype[name] = make(original);
  return () => {
    prototype[name] = original;
  };
}

export function all(...undo: (() => void)[]): () => void {
  return () => {
    for (const one of undo.reverse()) one();
  };
}
