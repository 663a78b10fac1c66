import { z } from 'zod';
import { parseJson } from '../../schemas/values/parse-json.ts';

/** Fields of Google's files of credentials whose values are secret. `Authorization` is a header of a request for a token. */
const KEY_FILE_SECRET = /^(?:private_key|private_key_id|client_secret|refresh_token|token|authorization)$/i;
const keyFile = z.looseObject({ type: z.string() });

/**
 * Parses the content of a file that GOOGLE_APPLICATION_CREDENTIALS names: of a service account's key, or of workload
 * identity. Undefined: it is something else.
 */
export function parseKeyFile(text: string): z.infer<typeof keyFile> | undefined {
  return parseJson(text, keyFile);
}

/** The secret of a variable, and the parts of it that a program may print alone. */
export function listSecretParts(name: string, value: string): readonly string[] {
  if (name === 'GOOGLE_CREDENTIALS') {
    const found = parseKeyFile(value);
    return found ? listKeyFileSecrets(found) : [value];
  }
  if (name === 'AZURE_STORAGE_SAS_TOKEN') return listSasParts(value);
  if (name !== 'AZURE_STORAGE_CONNECTION_STRING') return [value];
  const parts = value.split(';').flatMap((field) => {
    const at = field.indexOf('=');
    const [key, text] = [field.slice(0, at).trim().toLowerCase(), field.slice(at + 1).trim()];
    return key === 'accountkey' ? [text] : key === 'sharedaccesssignature' ? listSasParts(text) : [];
  });
  return [value, ...parts];
}

function listKeyFileSecrets(value: unknown, key = ''): readonly string[] {
  if (typeof value === 'string') return KEY_FILE_SECRET.test(key) ? [value] : [];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) => listKeyFileSecrets(inner, name));
}

/** The query of a shared access signature, and the signature in it. */
function listSasParts(token: string): readonly string[] {
  const signature = new URLSearchParams(token).get('sig');
  return [token, ...(signature ? [signature] : [])];
}
