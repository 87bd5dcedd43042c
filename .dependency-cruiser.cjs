/**
 * The rules of the hexagon. A path that matches nothing allowed is refused, and that covers packages and node:* too,
 * whose resolved paths lie outside of src.
 */
module.exports = {
  forbidden: [
    {
      name: 'domain-knows-domain-only',
      comment: 'The rules of chat need no technology, not even that of node.',
      severity: 'error',
      from: { path: '^src/domain/' },
      to: { pathNot: '^src/domain/' },
    },
    {
      name: 'application-knows-domain-only',
      comment: 'Use cases and ports speak of the domain; technology comes in through ports.',
      severity: 'error',
      from: { path: '^src/application/' },
      to: { pathNot: '^src/(domain|application)/' },
    },
    {
      name: 'machines-apart',
      comment:
        'Order, membership, presence and personal events do not know each other. They meet in bus-listener.ts, after-commit.ts and create-application.ts.',
      severity: 'error',
      from: { path: '^src/application/(ordering|membership|presence|personal)/' },
      to: { path: '^src/application/', pathNot: '^src/application/($1|ports)/|^src/application/[^/]+\\.ts$' },
    },
    {
      name: 'ordering-knows-ports-only',
      severity: 'error',
      from: { path: '^src/application/ordering/' },
      to: { path: '^src/application/', pathNot: '^src/application/((ordering|ports)/|bounded-map)' },
    },
    {
      name: 'adapter-knows-no-sibling',
      comment:
        'An adapter knows application, domain and itself. Common ground is named: transport/ (the inbound side), records/ (the record format), support/.',
      severity: 'error',
      from: { path: '^src/adapters/([^/]+)/' },
      to: { path: '^src/', pathNot: '^src/(domain|application|adapters/$1|adapters/(transport|records|support))/' },
    },
    {
      name: 'only-bootstrap-knows-the-container',
      severity: 'error',
      from: { path: '^(src|neighbours)/', pathNot: '^src/bootstrap/' },
      to: { path: '(^|/)node_modules/(tsyringe|reflect-metadata)(/|$)' },
    },
    {
      name: 'only-bootstrap-knows-bootstrap',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/bootstrap/' },
      to: { path: '^src/bootstrap/' },
    },
    {
      name: 'product-knows-no-test',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^(test|dev|neighbours|bench|scripts|page|admin|examples)/' },
    },
    {
      name: 'neighbours-stand-alone',
      comment: 'They are other programs: what they share with the server is a protocol, not code.',
      severity: 'error',
      from: { path: '^neighbours/' },
      to: { path: '^(src|test|dev|bench)/' },
    },
    {
      name: 'dev-and-bench-know-no-test',
      comment: 'Programs that a person starts must not depend on test code. Shared parts are in dev/.',
      severity: 'error',
      from: { path: '^(dev|bench|scripts)/' },
      to: { path: '^test/' },
    },
    {
      name: 'dev-knows-no-bench',
      severity: 'error',
      from: { path: '^dev/' },
      to: { path: '^(bench|scripts|examples)/' },
    },
    {
      name: 'kafkajs-from-one-place',
      comment:
        'kafkajs sets negative timers, for which Node prints warnings. dev/services/kafkajs.ts replaces them and exports it.',
      severity: 'error',
      from: { path: '^(dev|test|bench)/', pathNot: '^dev/services/kafkajs\\.ts$|^test/unit/kafka/' },
      to: { path: '(^|/)node_modules/kafkajs/' },
    },
    {
      name: 'page-stands-alone',
      comment: 'The page runs in a browser. It is built on the client package, as the page of an application is.',
      severity: 'error',
      from: { path: '^page/' },
      to: { pathNot: '^page/|^client/src/index\\.ts$' },
    },
    {
      name: 'admin-stands-alone',
      comment: 'The admin page runs in a browser, which gets this folder only.',
      severity: 'error',
      from: { path: '^admin/' },
      to: { pathNot: '^admin/' },
    },
    {
      name: 'client-stands-alone',
      comment: 'The client is a package of its own: what it shares with the server is a protocol, not code.',
      severity: 'error',
      from: { path: '^client/' },
      to: { pathNot: '^client/|(^|/)node_modules/@stomp/stompjs(/|$)' },
    },
    {
      name: 'examples-import-by-name',
      comment: 'An example imports chat-server/... and packages, as a foreign package would, and no file by its path.',
      severity: 'error',
      from: { path: '^examples/' },
      // The name of the client package leads to its sources in this repository.
      to: { pathNot: '^examples/|^client/src/index\\.ts$', dependencyTypes: ['local'] },
    },
    {
      name: 'no-circular',
      severity: 'error',
      from: { path: '^(src|neighbours|dev|bench|page|admin|examples|client)/' },
      to: { circular: true },
    },
    {
      name: 'not-to-unresolvable',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    // Without it `import type`, which is how ports are imported, would not be seen.
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(client|page)/dist/' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      // The first one: an import of chat-server/... in this repository means the sources.
      conditionNames: ['chat-server-source', 'import', 'require', 'node', 'default', 'types'],
    },
  },
};
