import { Router } from 'express';
import { z } from 'zod';
import { refuse, succeed } from './answers.ts';
import type { Directory } from './directory.ts';

const IDS = z.array(z.coerce.number().int().positive());

/**
 * The call of the user service that chat servers use: the profiles of users by id. Unknown users
 * are left out.
 */
export function userRoutes(directory: () => Directory): Router {
  return Router().post('/find-id-list', (req, res) => {
    const ids = IDS.safeParse(req.body);
    if (!ids.success) return refuse(res, 'badInput');
    const { users } = directory();
    const found = [...new Set(ids.data)].flatMap((id) => {
      const user = users[id];
      return user === undefined
        ? []
        : [[id, { id, name: user.name, code: `c${id}`, image: user.image, state: 'online' }] as const];
    });
    return succeed(res, Object.fromEntries(found));
  });
}
