/* What it will cost, how long it will take, and what is left: beside the button, and on it. */

import { el, setShown, setText } from './dom.js';
import { roomWords } from './money.js';
import { texts } from './texts.js';
import { ignoredWords, priceWords, waitWords } from './words.js';

const BUDGETS = ['budget_exceeded', 'balance_too_low'];

export class PriceRoom {
    asking() {
        setText(el('price'), texts.create.askingPrice);
    }

    say(words) {
        setText(el('price'), words);
    }

    /* several: the choice may fall on another model. said: what the button was refused for stands above it already. */
    show(quote, several, said) {
        const { priceMicro, currency, model, parts, waitEstimate, ignored } = quote;
        const [{ unit, quantity }] = parts,
            { asThingsStand, perSecond } = texts.create,
            each = unit === 'second' && quantity > 1 &&
                perSecond({ seconds: quantity, price: priceWords(priceMicro / quantity, currency) });
        setText(el('price'), priceWords(priceMicro, currency));
        const words = [several && asThingsStand(model), each, waitWords(waitEstimate), ignoredWords(ignored)];
        setText(el('quote'), words.filter(Boolean).join('; '));
        setText(el('left'), leftWords(quote));
        this.room(roomWords(quote), said);
        this.button(quote.refusal);
    }

    none(words, why) {
        setText(el('price'), words);
        setText(el('quote'), why);
        this.room('', '');
        this.button(null);
    }

    clear() {
        for (const id of ['price', 'quote', 'left']) setText(el(id), '');
        this.room('', '');
    }

    room(words, said) {
        setText(el('room'), words);
        setShown(el('room'), words !== '' && words !== said);
    }

    button(refusal) {
        const { go, goNoRoom, goBudget } = texts.create;
        setText(el('create-go'), !refusal ? go : BUDGETS.includes(refusal) ? goBudget : goNoRoom);
    }
}

/* What the account, or its user, has left; '' where there is no limit. */
function leftWords({ limits, balanceMicro, creditLimitMicro, currency }) {
    const { left, leftOf } = texts.create,
        price = (micro) => priceWords(Math.max(0, micro), currency),
        list = [];
    if (balanceMicro !== null && creditLimitMicro > 0)
        list.push(leftOf.credit({ left: priceWords(balanceMicro, currency), credit: price(creditLimitMicro) }));
    else if (balanceMicro !== null) list.push(leftOf.balance({ left: priceWords(balanceMicro, currency) }));
    for (const { name, max, used } of limits)
        if (leftOf[name])
            list.push(leftOf[name]({ left: price(max - used), max: price(max), n: Math.max(0, max - used) }));
    return list.length > 0 ? left(list) : '';
}
