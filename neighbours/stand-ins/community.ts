import { Router } from 'express';
import { idFrom, refuse, succeed } from './answers.ts';
import { channelOf, type Directory, placesOf } from './directory.ts';

/** The calls of the community service that chat servers use. */
export function communityRoutes(directory: () => Directory): Router {
  const routes = Router();

  routes.get('/community/feign/room-list/:userId', (req, res) => {
    const userId = idFrom(req.params.userId);
    if (userId === null) refuse(res, 'badInput');
    else res.json(placesOf(directory(), userId));
  });

  routes.get('/community/feign/:communityId/member-id', (req, res) => {
    const members = directory().communities[req.params.communityId]?.members;
    if (members === undefined) refuse(res, 'unknown');
    else res.json({ result: { members } });
  });

  routes.get('/room/feign/:roomId/member-id', (req, res) => {
    const members = directory().rooms[req.params.roomId];
    if (members === undefined) refuse(res, 'unknown');
    else res.json({ result: { members } });
  });

  routes.get('/channel/:channelId', (req, res) => {
    const userId = idFrom(req.headers.id);
    const channelId = idFrom(req.params.channelId);
    if (!req.headers.authorization) return refuse(res, 'noToken');
    if (userId === null || channelId === null) return refuse(res, 'badInput');
    const channel = channelOf(directory(), req.params.channelId);
    if (channel === null) return refuse(res, 'unknown');
    if (!channel.members.includes(userId)) return refuse(res, 'notPermitted');
    const { users } = directory();
    const members = channel.members.map((id) => ({
      id,
      name: users[id]?.name ?? null,
      image: users[id]?.image ?? null,
    }));
    return succeed(res, { id: channelId, name: `channel ${channelId}`, public: channel.open, members });
  });

  return routes;
}
