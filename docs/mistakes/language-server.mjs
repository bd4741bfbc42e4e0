// Opens documents in yaml-language-server as an editor does, and prints what it says of each: its diagnostics, and
// below each the quick fixes it offers.
//
//   node language-server.mjs SERVER FILE=SCHEMA...

import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

const SEVERITIES = ["", "error", "warning", "information", "hint"];

const [serverPath, ...pairs] = process.argv.slice(2);
const documents = pairs.map((pair) => {
  const [file, schema] = pair.split("=");
  return { file, uri: pathToFileURL(resolve(file)).href, schema: pathToFileURL(resolve(schema)).href };
});
const settings = {
  yaml: {
    validate: true,
    schemaStore: { enable: false },
    schemas: Object.fromEntries(documents.map(({ uri, schema }) => [schema, uri])),
  },
  http: {},
  "[yaml]": { "editor.insertSpaces": true, "editor.tabSize": 2 },
};

const server = spawn(process.execPath, [serverPath, "--stdio"], { stdio: ["pipe", "pipe", "inherit"] });
const answers = new Map();
const published = new Map();
let last = 0;

function write(message) {
  const body = JSON.stringify({ jsonrpc: "2.0", ...message });
  server.stdin.write(`Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
}

function request(method, params) {
  last += 1;
  const id = last;
  write({ id, method, params });
  return new Promise((answer) => answers.set(id, answer));
}

// The server asks for its settings by section.
function configuration(items) {
  return items.map(({ section }) => settings[section] ?? null);
}

function receive(message) {
  if (message.method === "workspace/configuration") {
    write({ id: message.id, result: configuration(message.params.items) });
  } else if (message.method === "textDocument/publishDiagnostics") {
    published.get(message.params.uri)?.(message.params.diagnostics);
  } else if (message.method && message.id !== undefined) {
    write({ id: message.id, result: null });
  } else if (message.id !== undefined) {
    answers.get(message.id)?.(message.result);
  }
}

let pending = Buffer.alloc(0);
server.stdout.on("data", (bytes) => {
  pending = Buffer.concat([pending, bytes]);
  for (;;) {
    const head = pending.indexOf("\r\n\r\n");
    if (head < 0) return;
    const length = Number(/Content-Length: (\d+)/i.exec(pending.toString("latin1", 0, head))[1]);
    if (pending.length < head + 4 + length) return;
    const body = pending.toString("utf8", head + 4, head + 4 + length);
    pending = pending.subarray(head + 4 + length);
    receive(JSON.parse(body));
  }
});

async function report({ file, uri }) {
  const diagnostics = new Promise((done) => published.set(uri, done));
  const textDocument = { uri, languageId: "yaml", version: 1, text: readFileSync(file, "utf8") };
  write({ method: "textDocument/didOpen", params: { textDocument } });
  const found = await diagnostics;
  if (found.length === 0) console.log(`${file}: nothing found`);
  for (const diagnostic of found) {
    const { start } = diagnostic.range;
    const severity = SEVERITIES[diagnostic.severity ?? 1];
    console.log(`${file}:${start.line + 1}:${start.character + 1}: ${severity}: ${diagnostic.message}`);
    const context = { diagnostics: [diagnostic], only: ["quickfix"] };
    const actions = await request("textDocument/codeAction", { textDocument: { uri }, range: diagnostic.range, context });
    for (const action of actions ?? []) {
      const texts = Object.values(action.edit?.changes ?? {}).flat().map((edit) => JSON.stringify(edit.newText));
      console.log(`  quick fix: ${action.title}${texts.length > 0 ? `: ${texts.join(", ")}` : ""}`);
    }
  }
}

await request("initialize", {
  processId: process.pid,
  rootUri: null,
  capabilities: {
    workspace: { configuration: true, didChangeConfiguration: { dynamicRegistration: true } },
    textDocument: {
      publishDiagnostics: { relatedInformation: true },
      codeAction: { codeActionLiteralSupport: { codeActionKind: { valueSet: ["quickfix"] } } },
    },
  },
});
write({ method: "initialized", params: {} });
write({ method: "workspace/didChangeConfiguration", params: { settings } });
for (const document of documents) await report(document);
server.kill();
