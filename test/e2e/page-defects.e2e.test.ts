import { accessSuite } from './page/access.ts';
import { connectionSuite } from './page/connection.ts';
import { editingSuite } from './page/editing.ts';
import { fileSuite } from './page/files.ts';
import { listSuite } from './page/list.ts';
import { pageStage } from './page/stage.ts';
import { toolSuite } from './page/tools.ts';

const stage = pageStage();

connectionSuite(stage);
listSuite(stage);
editingSuite(stage);
fileSuite(stage);
accessSuite(stage);
toolSuite(stage);
