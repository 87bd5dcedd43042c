/**
 * The functions of `node:http`. An `import` of them would also read the properties that Node.js
 * loads late, and with them a client and HTTP/2: 10 MB in each process that no server uses.
 */
export const { Agent, createServer, request, STATUS_CODES } = process.getBuiltinModule('node:http');
