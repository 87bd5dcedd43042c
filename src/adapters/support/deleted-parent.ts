/** How a reply shows a deleted parent: "The message was deleted." */
export const DELETED_PARENT = { parentId: null, parentName: '', parentContent: '삭제된 메세지입니다.' } as const;
