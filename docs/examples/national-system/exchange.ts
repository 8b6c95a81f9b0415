/** A national system: it shares a REPORT, and keeps what others share in COPIES until withdrawn. */
import { hash, randomUUID } from 'node:crypto';
import { readFileSync as read, rmSync, writeFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { credentials, loadPackageDefinition } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
const [, , folder = '', report, facts = ''] = process.argv;
const { NODE, CA = '', KEY = '', CERT = '' } = process.env;
const proto = loadSync('proto/concordat/node/v1/node.proto', { keepCase: true });
const Service = (loadPackageDefinition(proto) as any).concordat.node.v1.NationalService;
const node = new Service(NODE, credentials.createSsl(read(CA), read(KEY), read(CERT)));
const until = { deadline: Date.now() + 3_600_000 }; // start it again: it goes on where it was
const call = (name: string, request: object) => promisify(node[name].bind(node))(request, until);
const me = { system_id: 'border-db', purpose: 'border-control', case_id: 'EX-1' };
const { cursor } = await call('registerSystem', { ...me, kind: 'copy' });
if (report) {
  const [given, now] = [JSON.parse(read(facts, 'utf8')), Date.now()];
  const event_id = `0${now.toString(16)}-7${randomUUID().slice(15)}`.replace(/^.{8}/, '$&-'); // v7
  const schema_hash = hash('sha256', read('schemas/information-report.v1.avsc'), 'buffer');
  const made = { event_id, collected_at_ms: now, retain_until_ms: now + 30 * 86_400_000 };
  await call('publish', { ...given, ...made, schema_hash, content_json: read(report) });
  console.log('published', event_id);
}
for await (const told of node.subscribe({ ...me, cursor, include_held: true }, until)) {
  const [file, gone] = [`${folder}/${told.origin}-${told.event_id}`, told.kind === 'WITHDRAWN'];
  if (gone) rmSync(file, { force: true });
  else writeFileSync(file, (await call('read', { ...told, ...me })).sections[0].content_json);
  await call('acknowledge', { ...me, cursor: told.cursor, withdrawn: gone ? [told] : [] });
  console.log(gone ? 'deleted' : 'stored', told.event_id);
}
