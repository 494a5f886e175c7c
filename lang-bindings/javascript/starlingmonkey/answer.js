// The host's answer in the form that Lambkin's own modules take: `{ value }`, or `{ error: { code, message } }`.

export function answer(call) {
  try {
    return { value: call() };
  } catch (thrown) {
    // The bindings throw an error of the interface as the payload of one of their own.
    const { code, message } = thrown?.payload ?? {};
    if (code === undefined) throw thrown;
    return { error: { code, message } };
  }
}
