import { DOCUMENTED_CREDENTIALS } from './documented-files.ts';

export const CLOUDS = ['aws', 'google', 'azure', 'none'] as const;
export type Cloud = (typeof CLOUDS)[number];

/** The steps that log in to a cloud. The one of AWS is in docs/pull-requests.md. */
const STEPS: Readonly<Record<Exclude<Cloud, 'aws' | 'none'>, string>> = {
  google: `    - uses: google-github-actions/auth@7c6bc770dae815cd3e89ee6cdf493a5fab2cc093 # v3.0.0
      with:
        workload_identity_provider: projects/123456789012/locations/global/workloadIdentityPools/github/providers/github
        service_account: davit-\${{ inputs.access }}@PROJECT.iam.gserviceaccount.com
    - shell: bash
      env: { ENVIRONMENTS: "\${{ inputs.environments }}", REGION: europe-west1 }
      run: |
        kubectl config set-credentials google --token="$(gcloud auth print-access-token)" > /dev/null
        for name in $ENVIRONMENTS; do
          describe() { gcloud container clusters describe "$name" --region "$REGION" --format="value($1)"; }
          describe masterAuth.clusterCaCertificate | base64 -d > "$RUNNER_TEMP/$name.crt"
          kubectl config set-cluster "$name" --server="https://$(describe endpoint)" \\
            --certificate-authority="$RUNNER_TEMP/$name.crt" --embed-certs
          kubectl config set-context "$name" --cluster="$name" --user=google
        done
`,
  azure: `    - uses: azure/login@a457da9ea143d694b1b9c7c869ebb04ebe844ef5 # v2.3.0
      with:
        client-id: \${{ inputs.access == 'write' && 'CLIENT-ID-OF-DAVIT-WRITE' || 'CLIENT-ID-OF-DAVIT-READ' }}
        tenant-id: TENANT-ID
        subscription-id: SUBSCRIPTION-ID
    - shell: bash
      env: { ENVIRONMENTS: "\${{ inputs.environments }}", GROUP: models }
      run: for name in $ENVIRONMENTS; do az aks get-credentials --resource-group "$GROUP" --name "$name" --context "$name"; done
`,
};

/** The action that logs in to a cloud, from the documented one. Undefined: no cloud needs a login. */
export function makeCredentialsAction(cloud: Cloud, documented: ReadonlyMap<string, string>): string | undefined {
  const aws = documented.get(DOCUMENTED_CREDENTIALS);
  if (cloud === 'none' || aws === undefined) return undefined;
  return cloud === 'aws' ? aws : aws.replace(/(?<=^ {2}steps:\n)[\s\S]*$/m, STEPS[cloud]);
}

/** What has to be replaced in the action, and the text that stands for it there, for the list of what is left to do. */
export const CLOUD_PLACEHOLDERS: readonly { readonly marker: string; readonly replace: string }[] = [
  { marker: 'arn:aws:iam::123456789012:', replace: 'the account, the role and the region' },
  { marker: 'projects/123456789012/', replace: 'the workload identity pool, the project and the region' },
  {
    marker: 'tenant-id: TENANT-ID',
    replace: 'the identifiers of the two applications, the tenant, the subscription and the resource group',
  },
];
