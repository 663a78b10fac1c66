import { describe, expect, it } from 'vitest';
import { includesLevel, findPermissionLevel } from '../../serving-api/permissions.ts';
import { renderPermissionLevels, renderPermissions } from '../../serving-api/render-permissions.ts';
import type { Permission, PermissionLevel, Principal } from '../../schemas/deployment/serving-entry.ts';

const give = (kind: Principal['kind'], name: string, level: PermissionLevel): Permission => ({
  principal: { kind, name },
  level,
});
const ANN = { name: 'ann', kind: 'user', groups: ['science'] } as const;
const ROBOT = { name: 'system:serviceaccount:ci:robot', kind: 'service_principal', groups: [] } as const;
/** A client of the identity provider that somebody has named like a person, and like a group. */
const CLIENT = { name: 'ann', kind: 'service_principal', groups: ['art'] } as const;

describe('findPermissionLevel()', () => {
  it.each([
    [ANN, [], undefined],
    [ANN, [give('user', 'bob', 'CAN_MANAGE'), give('group', 'art', 'CAN_QUERY')], undefined],
    [ANN, [give('users', 'users', 'CAN_VIEW')], 'CAN_VIEW'],
    [ANN, [give('group', 'science', 'CAN_QUERY'), give('user', 'ann', 'CAN_VIEW')], 'CAN_QUERY'],
    [ANN, [give('service_principal', 'ann', 'CAN_MANAGE')], undefined],
    [ROBOT, [give('service_principal', 'ci/robot', 'CAN_MANAGE')], 'CAN_MANAGE'],
    [ROBOT, [give('service_principal', ROBOT.name, 'CAN_QUERY')], 'CAN_QUERY'],
    [ROBOT, [give('user', ROBOT.name, 'CAN_QUERY')], 'CAN_QUERY'],
    [CLIENT, [give('user', 'ann', 'CAN_MANAGE'), give('group', 'ann', 'CAN_MANAGE')], undefined],
    [CLIENT, [give('service_principal', 'ann', 'CAN_QUERY'), give('group', 'art', 'CAN_VIEW')], 'CAN_QUERY'],
    [{ ...ANN, name: 'ci/robot' }, [give('service_principal', 'ci/robot', 'CAN_MANAGE')], undefined],
    [{ ...ANN, name: 'art' }, [give('group', 'art', 'CAN_MANAGE')], undefined],
    [ROBOT, [give('service_principal', 'robot', 'CAN_MANAGE')], undefined],
    [ROBOT, [give('service_principal', 'other/robot', 'CAN_MANAGE')], undefined],
  ] as const)('of %o with %o is %s', (caller, permissions, level) => {
    expect(findPermissionLevel(caller, permissions)).toBe(level);
  });

  it('has levels that include the lower ones', () => {
    expect([
      includesLevel('CAN_MANAGE', 'CAN_QUERY'),
      includesLevel('CAN_VIEW', 'CAN_QUERY'),
      includesLevel(undefined, 'CAN_VIEW'),
    ]).toEqual([true, false, false]);
  });
});

describe('renderPermissions()', () => {
  it("has Databricks' shape", () => {
    const permissions = [
      give('user', 'ann', 'CAN_MANAGE'),
      give('service_principal', 'ci/robot', 'CAN_QUERY'),
      give('users', 'users', 'CAN_VIEW'),
    ];
    expect(renderPermissions('iris', permissions)).toEqual({
      object_id: expect.stringMatching(/^\/serving-endpoints\/[0-9a-f]{32}$/) as string,
      object_type: 'serving-endpoint',
      access_control_list: [
        { user_name: 'ann', all_permissions: [{ permission_level: 'CAN_MANAGE', inherited: false }] },
        { service_principal_name: 'ci/robot', all_permissions: [{ permission_level: 'CAN_QUERY', inherited: false }] },
        { group_name: 'users', all_permissions: [{ permission_level: 'CAN_VIEW', inherited: false }] },
      ],
    });
    expect(renderPermissionLevels()).toMatchObject({
      permission_levels: [
        { permission_level: 'CAN_VIEW' },
        { permission_level: 'CAN_QUERY' },
        { permission_level: 'CAN_MANAGE' },
      ],
    });
  });
});
