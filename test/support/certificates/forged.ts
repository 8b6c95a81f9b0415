import { certificateFile } from '../certificate.js';
import { type Forged, story } from './edits.js';
import { FORGED_HOLDERS } from './forged-holders.js';
import { FORGED_LEDGERS } from './forged-ledgers.js';
import { DE, UN, federation, fileOf } from './told.js';

/** Another character of the same kind in the middle of the first text that `field` names. */
function altered(text: string, field: string): string {
  const at = text.indexOf(`"${field}":"`) + field.length + 40;
  return text.slice(0, at) + (text[at] === 'A' ? 'B' : 'A') + text.slice(at + 1);
}

const file = () => fileOf(story.certificate);

/** Forgeries of the file itself. */
const FORGED_FILES: readonly Forged[] = [
  [
    'that another member signed',
    () => certificateFile(federation, story.certificate, { member: DE, role: 'revocation' }),
    /SENDER_NOT_TOPIC_OWNER/,
  ],
  [
    'that another role signed',
    () => certificateFile(federation, story.certificate, { member: UN, role: 'node' }),
    /KEY_ROLE_WRONG/,
  ],
  ['with another signature', () => altered(file(), 'sig'), /SIGNATURE_INVALID/],
  ['with other content under its signature', () => altered(file(), 'payload'), /SIGNATURE_INVALID/],
  [
    'by a key that the trust file does not hold',
    () => file().replace(/"keyid":"[^"]+"/, `"keyid":"${'A'.repeat(22)}"`),
    /a key that the trust file does not hold/,
  ],
  ['with a field of its own', () => file().replace('{', '{"note":"",'), /expected DSSE JSON/],
  [
    'of another kind',
    () => file().replace('certificate.v1', 'receipt.v1'),
    /expected payload type/,
  ],
  [
    'with two signatures',
    () => file().replace(/\{("keyid".+?)\}/, '{$1},{$1}'),
    /expected DSSE JSON/,
  ],
];

/** Every one has to be refused, for this reason. */
export const FORGED: readonly Forged[] = [...FORGED_LEDGERS, ...FORGED_HOLDERS, ...FORGED_FILES];
