import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import type { KubernetesManifest } from '../../../infra/kubernetes/object-resource.ts';
import { makeAccounts } from '../../../infra/platform/objects/accounts.ts';
import { makeAuthorisation } from '../../../infra/platform/objects/authorisation.ts';
import { makeDeployerRoles } from '../../../infra/platform/objects/deployer-roles.ts';
import { makeEdge } from '../../../infra/platform/objects/edge.ts';
import { makeNamespaces } from '../../../infra/platform/objects/namespaces.ts';
import { makeNetworkPolicies } from '../../../infra/platform/objects/network-policies.ts';
import { makeQuota } from '../../../infra/platform/objects/quota.ts';
import { makeEnvironment } from './kubernetes-environment.ts';

const QUOTA = { 'requests.cpu': '8', 'requests.memory': '32Gi', 'requests.nvidia.com/gpu': '2' };
const EGRESS = [
  { cidr: '10.0.0.0/8', ports: [443, 5432] },
  { cidr: '192.0.2.7/32', ports: [] },
];

describe('make*() of the platform', () => {
  it.each<[string, readonly KubernetesManifest[]]>([
    ['namespaces', makeNamespaces(makeEnvironment())],
    ['quota', makeQuota(makeEnvironment({ quota: QUOTA }))],
    ['network-policies', makeNetworkPolicies(makeEnvironment({ egress: EGRESS }))],
    ['network-policies-adopted', makeNetworkPolicies(makeEnvironment({ knative: { mode: 'adopt' } }))],
    ['accounts', makeAccounts(makeEnvironment())],
    ['deployer-roles', makeDeployerRoles(makeEnvironment())],
    ['edge', makeEdge(makeEnvironment())],
    ['authorisation-marks', makeAuthorisation(makeEnvironment(), 'registry.example/authorisation@sha256:5', 'n')],
    ['authorisation', makeAuthorisation(makeEnvironment(), 'registry.example/authorisation@sha256:5')],
  ])('makes %s as reviewed', async (name, objects) => {
    const text = objects.map((o) => stringify(o, { lineWidth: 0 })).join('---\n');
    // Envoy's configuration is tested where it is made.
    const shown = text
      .replace(/envoy\.json: \|-\n(?: {4}.*\n)+/, 'envoy.json: …\n')
      .replace(/configuration: \w+/, 'configuration: …');
    await expect(shown).toMatchFileSnapshot(`golden/${name}.yaml`);
  });
});

describe('makeNetworkPolicies()', () => {
  const egressOf = (egress?: readonly { readonly cidr: string; readonly ports: readonly number[] }[]) => {
    const [models] = makeNetworkPolicies(makeEnvironment({ egress }));
    const spec = models?.['spec'] as { policyTypes: readonly string[]; egress: readonly { to: readonly object[] }[] };
    expect(spec.policyTypes).toContain('Egress');
    return spec.egress.slice(1).flatMap(({ to }) => to);
  };

  it('lets models reach everything but cloud metadata where nothing is said', () => {
    expect(egressOf()).toEqual([
      { namespaceSelector: {} },
      { ipBlock: { cidr: '0.0.0.0/0', except: ['169.254.0.0/16'] } },
      { ipBlock: { cidr: '::/0', except: ['fe80::/10', 'fd00:ec2::254/128'] } },
    ]);
  });

  it.each([
    ['0.0.0.0/0', ['169.254.0.0/16']],
    ['160.0.0.0/3', ['169.254.0.0/16']],
    ['169.254.0.0/15', ['169.254.0.0/16']],
    ['fc00::/7', ['fd00:ec2::254/128']],
    ['fd00:ec2::/32', ['fd00:ec2::254/128']],
    ['10.0.0.0/8', undefined],
    ['2001:db8::/32', undefined],
    ['169.254.0.0/16', undefined], // somebody has named it
    ['169.254.169.254/32', undefined],
    ['fd00:ec2::254/128', undefined],
  ])('takes cloud metadata out of %s', (cidr, except) => {
    expect(egressOf([{ cidr, ports: [] }])).toEqual([{ ipBlock: { cidr, ...(except && { except }) } }]);
  });
});

describe('makeQuota()', () => {
  it('gives containers that declare nothing a limit of storage where that is counted', () => {
    const [, range] = makeQuota(makeEnvironment({ quota: { 'limits.ephemeral-storage': '100Gi' } }));
    expect(range?.['spec']).toMatchObject({ limits: [{ default: { 'ephemeral-storage': '256Mi' } }] });
  });

  it('makes nothing where nothing is limited', () => {
    expect(makeQuota(makeEnvironment())).toEqual([]);
  });

  it('refuses a limit that no model could keep', () => {
    expect(() => makeQuota(makeEnvironment({ quota: { 'limits.cpu': '8' } }))).toThrow(
      'Cannot use "limits.cpu" in the quota of environments/staging.yaml: models have no limit on CPU, expected requests.cpu',
    );
  });
});

describe('makeEdge()', () => {
  const podOf = (objects: readonly KubernetesManifest[]) =>
    objects.find((o) => o.kind === 'Deployment')?.['spec'] as {
      template: { metadata: { annotations: Record<string, string> }; spec: { volumes: readonly { name: string }[] } };
    };

  it('replaces pods when the configuration changes, and only then', () => {
    const annotations = (environment: ReturnType<typeof makeEnvironment>) =>
      podOf(makeEdge(environment)).template.metadata.annotations;
    const { hardware, gateway } = makeEnvironment();
    const slower = { ...hardware, CPU: { ...hardware.CPU!, coldStartSeconds: 1200 } };
    expect(annotations(makeEnvironment())).toEqual(annotations(makeEnvironment({ quota: QUOTA })));
    expect(annotations(makeEnvironment())).not.toEqual(annotations(makeEnvironment({ hardware: slower })));
    expect(annotations(makeEnvironment())).not.toEqual(
      annotations(makeEnvironment({ gateway: { ...gateway, tlsSecret: 'tls' } })),
    );
  });

  it('ends TLS with the Secret that is named', () => {
    const { gateway } = makeEnvironment();
    const objects = makeEdge(makeEnvironment({ gateway: { ...gateway, tlsSecret: 'serving-tls' } }));
    expect(podOf(objects).template.spec.volumes).toContainEqual({ name: 'tls', secret: { secretName: 'serving-tls' } });
    expect(objects.find((o) => o.kind === 'Service')).toMatchObject({
      spec: { ports: [{ name: 'https', port: 443 }] },
    });
  });
});
