import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { npmPackages, wheel } from '../../dev/services/package-cache.ts';

/** Any object of Kubernetes. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly annotations?: Readonly<Record<string, string>> };
  // biome-ignore lint/suspicious/noExplicitAny: the schemas check the fields.
  readonly spec: any;
}

const SERVICE = 'schemas of Kubernetes';
/** Schemas of the API of each version, which refuse unknown fields. */
const API = 'kubernetes-validate==1.37.0';
/** Schemas of objects that are not a part of Kubernetes. */
const MODELS = ['@kubernetes-models/gateway-api@2.0.0', '@kubernetes-models/prometheus-operator@6.0.0'];
const FOREIGN: Readonly<Record<string, string>> = {
  'gateway.networking.k8s.io/v1 HTTPRoute': '@kubernetes-models/gateway-api/gateway.networking.k8s.io/v1/HTTPRoute',
  'monitoring.coreos.com/v1 ServiceMonitor':
    '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/ServiceMonitor',
  'monitoring.coreos.com/v1 PrometheusRule':
    '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/PrometheusRule',
};

export interface KubernetesSchemas {
  /** What is wrong with the object, according to the API of Kubernetes `version` (`1.37.0`). */
  problems(manifest: Manifest, version: string): Promise<string[]>;
}

/** Fetches the schemas once. @throws ServiceUnavailable */
export async function kubernetesSchemas(): Promise<KubernetesSchemas> {
  const api = join(await wheel(SERVICE, API), 'kubernetes_validate/kubernetes-json-schema');
  const models = join(await npmPackages(SERVICE, 'kubernetes-models-1', MODELS), 'node_modules');
  const compilers = new Map<string, Promise<Ajv2020>>();
  const compiler = async (folder: string): Promise<Ajv2020> => {
    const ajv = new Ajv2020({ strict: false, validateFormats: false, logger: false });
    ajv.addSchema(JSON.parse(await readFile(join(folder, '_definitions.json'), 'utf8')));
    return ajv;
  };
  return {
    async problems(manifest, version) {
      const { apiVersion, kind } = manifest;
      const foreign = FOREIGN[`${apiVersion} ${kind}`];
      if (foreign !== undefined) {
        const module = await import(pathToFileURL(join(models, `${foreign}.js`)).href);
        return foreignProblems(module[kind], manifest);
      }
      const folder = join(api, `v${version}-local-strict`);
      const ajv = await (compilers.get(folder) ?? compilers.set(folder, compiler(folder)).get(folder));
      if (ajv === undefined) throw new Error(`there are no schemas of Kubernetes ${version}`);
      const [group = '', name] = apiVersion.split('/');
      const file = [kind.toLowerCase(), ...(name === undefined ? [group] : [group.split('.')[0], name])].join('-');
      const schema = JSON.parse(await readFile(join(folder, `${file}.json`), 'utf8'));
      const validate = ajv.getSchema(schema.$id) ?? ajv.compile(schema);
      if (validate(manifest)) return [];
      return (validate.errors ?? []).map(
        ({ instancePath, message, params }) => `${instancePath} ${message} ${JSON.stringify(params)}`,
      );
    },
  };
}

function foreignProblems(Model: new (manifest: Manifest) => { validate(): void }, manifest: Manifest): string[] {
  try {
    new Model(manifest).validate();
    return [];
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)];
  }
}
