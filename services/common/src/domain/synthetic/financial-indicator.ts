import { ibanRemainder } from '../logical-types.js';
import type { Json } from '../strict-json.js';
import type { Draw } from './draw.js';
import { drawName, drawState, drawTown } from './person.js';

export const FINANCIAL_KINDS = ['account', 'transfer', 'wallet', 'entity'] as const;
type FinancialKind = (typeof FINANCIAL_KINDS)[number];

export function financialIndicator(draw: Draw, kind: FinancialKind): { [field: string]: Json } {
  const accounts = draw.list(1, 2, () => drawAccount(draw, kind === 'wallet'));
  const counterparties = draw.list(1, kind === 'entity' ? 3 : 2, () => drawCounterparty(draw));
  const transfers = draw.list(kind === 'transfer' ? 2 : 0, 4, () => ({
    at: draw.time(2026, 2026),
    amountMinor: draw.whole(1_000, 2_500_000),
    currency: draw.pick(['EUR', 'USD', 'XTS']),
    direction: draw.pick(['IN', 'OUT']),
    channel: draw.pick(['CREDIT_TRANSFER', 'CASH_DEPOSIT', 'MONEY_TRANSFER_SERVICE']),
    account: draw.whole(0, accounts.length - 1),
    counterparty: draw.whole(0, counterparties.length - 1),
    purpose: draw.perhaps(50, () => `synthetic payment ${draw.digits(4)}`),
  }));
  return {
    reference: `SYN-FI-${draw.digits(8)}`,
    reportedBy: `Synthetic Financial Intelligence Unit, ${drawTown(draw)}`,
    typologies: draw.some(['TERRORIST_FINANCING', 'SMURFING', 'CASH_COURIER', 'CROWDFUNDING'], 2),
    suspicion: draw.whole(30, 95),
    firstSeenAt: draw.time(2025, 2025),
    lastSeenAt: draw.time(2026, 2026),
    accounts,
    transfers,
    counterparties,
    analysis: 'An invented flow of money, made from a seed.',
  };
}

function drawAccount(draw: Draw, isWallet: boolean): Json {
  const { familyName, givenNames } = drawName(draw);
  const isHidden = draw.chance(40);
  return {
    iban: isWallet || isHidden ? null : drawIban(draw),
    accountHash: isHidden && !isWallet ? draw.hex(32) : null,
    walletAddress: isWallet ? `synthetic-wallet-${draw.hex(12)}` : null,
    bic: isWallet ? null : 'TESTXX00',
    currency: isWallet ? null : draw.pick(['EUR', 'USD', 'XTS']),
    holder: draw.perhaps(80, () => [...givenNames, familyName].join(' ')),
  };
}

function drawCounterparty(draw: Draw): Json {
  return {
    name: `Synthetic Trading ${draw.digits(5)}`,
    kind: draw.pick(['COMPANY', 'CHARITY', 'MONEY_SERVICE', 'UNKNOWN']),
    state: draw.perhaps(80, () => drawState(draw)),
    iban: draw.perhaps(40, () => drawIban(draw)),
    accountHash: null,
  };
}

/** Of country XX, which no bank is in; the check digits are right. */
function drawIban(draw: Draw): string {
  const account = `TEST${draw.digits(14)}`;
  const check = 98 - ibanRemainder(`${account}XX00`);
  return `XX${String(check).padStart(2, '0')}${account}`;
}
