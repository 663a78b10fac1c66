import { stringify } from 'yaml';
import { endpointFile } from '../../schemas/endpoint/endpoint-file.ts';
import { formatYaml } from '../../schemas/yaml/format-yaml.ts';

/** Renders an endpoint file in its canonical form, in which `davit fmt` leaves it as it is. */
export function renderEndpoint(value: unknown): string {
  const text = stringify(value, { lineWidth: 0 });
  return formatYaml(text, endpointFile) ?? text;
}
