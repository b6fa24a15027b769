// SPDX-License-Identifier: Apache-2.0
// What two JSON Schema validators by others say: a line {"schema", "instances"} in, {"ajv": [...], "hyperjump": [...]} out,
// each true, false, or a text where the schema was refused. ajv asserts formats, hyperjump leaves them.
import { createInterface } from "node:readline";
import Ajv2020 from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { registerSchema, unregisterSchema, validate } from "@hyperjump/json-schema/draft-2020-12";

const ID = "https://schemas.example/one";
const said = (error) => String(error.message ?? error).slice(0, 200);

function byAjv(schema, instances) {
  const ajv = addFormats(new Ajv2020({ strict: false, logger: false }));
  let check;
  try {
    check = ajv.compile(schema);
  } catch (error) {
    return instances.map(() => said(error));
  }
  return instances.map((instance) => check(instance));
}

async function byHyperjump(schema, instances) {
  try {
    registerSchema(typeof schema === "object" ? { $schema: "https://json-schema.org/draft/2020-12/schema", ...schema } : schema, ID,
      "https://json-schema.org/draft/2020-12/schema");
    const check = await validate(ID);
    return instances.map((instance) => check(instance).valid);
  } catch (error) {
    return instances.map(() => said(error));
  } finally {
    unregisterSchema(ID);
  }
}

for await (const text of createInterface({ input: process.stdin })) {
  const { schema, instances } = JSON.parse(text);
  console.log(JSON.stringify({ ajv: byAjv(schema, instances), hyperjump: await byHyperjump(schema, instances) }));
}
