// Stands in for a package that Pulumi's SDK imports but Davit never uses: see skip-unused-packages.ts.
module.exports = new Proxy(
  { __esModule: true },
  {
    get(own, name) {
      if (name in own || typeof name === 'symbol') return own[name];
      throw new Error(
        `Davit loads Pulumi's SDK without this package (system/lean-pulumi-sdk), but something uses its "${name}"`,
      );
    },
  },
);
