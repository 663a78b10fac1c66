import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { importFiles } from '../../../app/import/import-files.ts';
import { makeRandom, mutate } from '../../helpers/mutate-text.ts';

/** How many mutations of each file are imported. `DAVIT_FUZZ=100000` takes some minutes. */
const MUTATIONS = Math.ceil(Number(process.env['DAVIT_FUZZ'] ?? 500) / 5);
const SEED = Number(process.env['DAVIT_FUZZ_SEED'] ?? 1);

const FILES = {
  'databricks.yml': `bundle: { name: fraud }
variables:
  catalog: { default: main }
  schema: { default: "\${var.catalog}_ml" }
targets: { prod: { variables: { catalog: live } } }
resources:
  model_serving_endpoints:
    fraud: &a
      name: \${bundle.target}-fraud
      config:
        served_models:
          - { model_name: "\${var.catalog}.\${var.schema}.fraud", model_version: 1 }
      permissions: [{ level: CAN_QUERY, group_name: users }]
      tags: { team: risk }
    second: { <<: *a, name: second }
`,
  'main.tf': `variable "models" { default = { churn = 3 } }
locals { prefix = lower("X") }
resource "databricks_model_serving" "this" {
  for_each = var.models
  name     = "\${local.prefix}-\${each.key}"
  config {
    served_entities {
      entity_name           = format("%s.ml.%s", local.prefix, each.key)
      entity_version        = each.value
      scale_to_zero_enabled = var.models["churn"] == 3 ? true : !false
      environment_vars      = { "A" = "{{secrets/x/y}}", B = <<-EOT
        text \${local.prefix}
      EOT
      }
    }
  }
  dynamic "tags" {
    for_each = ["a", "b"]
    content { key = tags.value }
  }
}
resource "databricks_permissions" "p" {
  serving_endpoint_id = databricks_model_serving.this.serving_endpoint_id
  access_control {
    group_name       = "users"
    permission_level = "CAN_QUERY"
  }
}
`,
  'main.tf.json': `{
  "variable": { "version": { "default": "3" } },
  "locals": { "prefix": "\${lower(\\"X\\")}" },
  "resource": {
    "databricks_model_serving": {
      "this": [{
        "for_each": { "a": "1", "b": "\${var.version}" },
        "name": "\${local.prefix}-\${each.key}",
        "config": [{ "served_entities": [{ "entity_name": "main.ml.iris", "entity_version": "\${each.value}" }] }],
        "dynamic": { "tags": { "for_each": ["a"], "content": { "key": "\${tags.value}" } } }
      }]
    },
    "databricks_permissions": {
      "p": {
        "serving_endpoint_id": "\${databricks_model_serving.this[\\"a\\"].serving_endpoint_id}",
        "access_control": { "group_name": "users", "permission_level": "CAN_QUERY" }
      }
    }
  }
}
`,
};

test.each(Object.entries(FILES))(
  'a changed %s never crashes the import, and every diagnostic has a place',
  async (name, valid) => {
    const cwd = await mkdtemp(join(tmpdir(), 'davit-fuzz-import-'));
    const random = makeRandom(SEED);
    const request = {
      cwd,
      folder: join(cwd, 'endpoints'),
      dryRun: true,
      force: false,
      variables: new Map<string, string>(),
      valueFiles: [],
    };
    try {
      await mkdir(join(cwd, 'endpoints'));
      for (let i = -1; i < MUTATIONS; i++) {
        let text = valid;
        if (i >= 0) for (let changes = 1 + random(3); changes > 0; changes--) text = mutate(text, random);
        await writeFile(join(cwd, name), text);
        const target = i % 2 === 0 ? undefined : 'prod';
        const { endpoints, diagnostics } = await importFiles({ ...request, paths: [name], target }).catch(
          (e: unknown) => {
            throw new Error(`Mutation ${i} of seed ${SEED}:\n${text}`, { cause: e });
          },
        );
        for (const { line, column } of diagnostics) expect(Math.min(line, column)).toBeGreaterThanOrEqual(1);
        if (i < 0) expect(endpoints.map((e) => e.complete)).not.toContain(false);
      }
    } finally {
      await rm(cwd, { recursive: true, force: true });
    }
  },
  Math.max(60_000, MUTATIONS * 50),
);
