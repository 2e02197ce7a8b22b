/* /_sim/...: how a test or an operator steers the simulator and reads its books. */
import { json } from './answer.mjs';

const checked = (q, wanted, then) => {
    const wrong = q.json && wanted(q.json);
    return q.json === undefined || wrong ? json(400, { error: wrong || 'a JSON object is wanted' }) : then(q.json);
};

const ruleFault = ({ tags, times }) =>
    !Array.isArray(tags) || !tags.every((tag) => typeof tag === 'string') ? 'tags: a list of texts'
        : times !== undefined && !(times > 0) ? 'times: a number' : '';

const timeFault = ({ ms }) => ms >= 0 ? '' : 'ms: a number';

export function controlRoutes(sim) {
    const settingsFault = (given) => Object.keys(given).filter((name) => !(name in sim.settings)).join(' ');
    return [
        { method: 'GET', path: '/books', answer: (q) => json(200, sim.books.read(q.query.get('prompt'), q.now)) },
        { method: 'POST', path: '/script', answer: (q) => checked(q, ruleFault, (rule) => {
            try {
                sim.script.add(rule);
            } catch (error) {
                return json(400, { error: error.message });
            }
            return json(200, { rules: sim.script.rules.length });
        }) },
        { method: 'DELETE', path: '/script', answer: () => {
            sim.script.clear();
            return { status: 204, headers: {} };
        } },
        { method: 'POST', path: '/advance', answer: (q) => checked(q, timeFault, ({ ms }) => {
            sim.advance(ms);
            return json(200, { now: new Date(sim.now()).toISOString() });
        }) },
        { method: 'GET', path: '/settings', answer: () => json(200, sim.settings) },
        { method: 'POST', path: '/settings', answer: (q) => checked(q, settingsFault, (given) => {
            Object.assign(sim.settings, given);
            return json(200, sim.settings);
        }) },
    ];
}
