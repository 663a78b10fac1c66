import type { AttestationApi } from '../../images/attestations/fetch-attestations.ts';
import type { Job } from '../job.ts';

/** The API of the job's GitHub, with the job's token. */
export function makeAttestationApi({ runner, inputs, signal }: Job): AttestationApi {
  return { url: runner.apiUrl, token: inputs.token, signal };
}
