// An existing Lambda handler: the page that lists the routes.
const languages = ["javascript", "typescript", "python", "go", "rust"];

export const handler = async () => ({
  statusCode: 200,
  headers: { "content-type": "text/html; charset=utf-8" },
  body: `<!doctype html>
<title>Lambkin, polyglot</title>
<h1>One host, a family of languages</h1>
<ul>${languages.map((language) => `<li><a href="/${language}/world">${language}</a></li>`).join("")}</ul>
`,
});
