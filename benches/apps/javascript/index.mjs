// The same file runs on Node's Lambda client and as a Lambkin component.
export const handler = async (event) => ({
  statusCode: 200,
  headers: { "content-type": "application/json" },
  body: JSON.stringify(event.rawPath === "/transform" ? transform(JSON.parse(event.body)) : greeting(event)),
});

const greeting = (event) => ({ message: `Hello, ${event.pathParameters.name}!`, path: event.rawPath });

const transform = (orders) =>
  orders
    .map(({ id, customer, cents, quantity, tags, note }) => ({
      id,
      customer: customer.toUpperCase(),
      total: cents * quantity,
      tags: tags.toReversed(),
      note,
    }))
    .sort((one, other) => other.total - one.total || one.id - other.id);
