// node infra/scripts.mjs [--check]     writes each script into the template that starts it, line by line; --check only says what differs.
//
// A resource names its script: "Metadata": { "Script": "infra/nat-instance.sh" }, and has the user data { "Fn::Base64": { "Fn::Join": ["\n", […]] } }.
import fs from "node:fs";
import path from "node:path";

const root = path.join(import.meta.dirname, "..");
let stale = false;
for (const name of fs.readdirSync(path.join(root, "infra")).filter((file) => file.endsWith(".template"))) {
  const file = path.join(root, "infra", name);
  const before = fs.readFileSync(file, "utf8");
  const scripted = Object.entries(JSON.parse(before).Resources).filter(([, resource]) => resource.Metadata?.Script);
  const after = scripted.reduce((text, [id, resource]) => withScript(text, id, resource.Metadata.Script), before);
  if (after === before) continue;
  stale = true;
  if (process.argv.includes("--check")) console.log(`infra/${name} does not carry its scripts as they are: run node infra/scripts.mjs`);
  else fs.writeFileSync(file, after);
}
process.exitCode = stale && process.argv.includes("--check") ? 1 : 0;

function withScript(text, resource, script) {
  const lines = text.split("\n");
  const from = lines.findIndex((line, at) => /^ *"Fn::Join": \[$/.test(line) && at > lines.indexOf(`    "${resource}": {`));
  const indent = /^ */.exec(lines[from])[0];
  const to = lines.findIndex((line, at) => at > from && line === `${indent}]`);
  const content = fs.readFileSync(path.join(root, script), "utf8").split("\n");
  const body = content.map((line, at) => `${indent}    ${JSON.stringify(line)}${at < content.length - 1 ? "," : ""}`);
  return [...lines.slice(0, from + 1), `${indent}  "\\n",`, `${indent}  [`, ...body, `${indent}  ]`, ...lines.slice(to)].join("\n");
}
