import type { DemoWorld } from '../demo-world.ts';
import type { Handler } from '../deps.ts';
import { sendJson } from '../envelope.ts';

/**
 * Answers with the users and places of the demo:
 * `{"users":[...],"rooms":[...],"communities":[...]}`.
 */
export function demoWorldRoute(demo: { demoWorld(): DemoWorld }): Handler {
  return (_request, response) => sendJson(response, 200, demo.demoWorld());
}
