// Another app on the same engine: what two apps have in common is the engine, not the handler.
const greetings = new Map([
  ["cs", (name) => `Ahoj, ${name}!`],
  ["de", (name) => `Hallo, ${name}!`],
  ["en", (name) => `Hello, ${name}!`],
  ["es", (name) => `¡Hola, ${name}!`],
]);

class Greeter {
  constructor(language) {
    this.greet = greetings.get(language) ?? greetings.get("en");
  }

  answer(event) {
    const name = event.pathParameters.name;
    return JSON.stringify({ message: this.greet(name), path: event.rawPath });
  }
}

export const handler = async (event) => {
  const greeter = new Greeter(event.queryStringParameters?.lang);
  return { statusCode: 200, headers: { "content-type": "application/json" }, body: greeter.answer(event) };
};
