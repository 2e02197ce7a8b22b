/* Workflows in ComfyUI's API format: what is wrong with one, and what it asks for. Only nodes of usual video workflows
 * are known, and of these only what matters here. */

const SAVERS = ['SaveVideo', 'SaveWEBM', 'VHS_VideoCombine'];
const OUTPUTS = [...SAVERS, 'SaveImage', 'PreviewImage', 'SaveAnimatedWEBP'];
/* Class to inputs that it cannot do without. */
const CLASSES = {
    KSampler: ['model', 'seed', 'steps', 'cfg', 'sampler_name', 'scheduler', 'positive', 'negative', 'latent_image',
               'denoise'],
    CLIPTextEncode: ['text', 'clip'], VAEDecode: ['samples', 'vae'], CreateVideo: ['images', 'fps'],
    SaveVideo: ['video', 'filename_prefix', 'format', 'codec'],
    SaveWEBM: ['images', 'filename_prefix', 'codec', 'fps', 'crf'],
    LoadImage: ['image'],
};
/* Every other class is taken as installed. */
const ABSENT = 'NotInstalled';

const error = (type, message, details = '', extra_info = {}) => ({ type, message, details, extra_info });
export const NOTHING_LEFT = error('prompt_outputs_failed_validation', 'Prompt outputs failed validation');
const isLink = (value) => Array.isArray(value) && value.length === 2 && typeof value[0] === 'string' &&
    Number.isInteger(value[1]);
const has = Object.hasOwn;

export const isSaver = ({ class_type: name }) => SAVERS.includes(name);

function inputErrors(workflow, { class_type: name, inputs = {} }, hasFile) {
    const faults = (has(CLASSES, name) ? CLASSES[name] : []).filter((input) => !has(inputs, input))
        .map((input) => error('required_input_missing', 'Required input is missing', input, { input_name: input }));
    for (const [input, value] of Object.entries(inputs))
        if (Array.isArray(value) && (!isLink(value) || !has(workflow, value[0])))
            faults.push(error('bad_linked_input',
                'Bad linked input, must be a length-2 list of [node_id, slot_index]', input,
                { input_name: input, received_value: value }));
    if (name === 'LoadImage' && typeof inputs.image === 'string' && !hasFile(inputs.image))
        faults.push(error('custom_validation_failed', 'Custom validation failed for node',
            `image - Invalid image file: ${inputs.image}`, { input_name: 'image', received_value: inputs.image }));
    return faults;
}

/* The nodes that an output needs, itself included. */
function needs(workflow, id, found = new Set()) {
    if (found.has(id) || !has(workflow, id))
        return found;
    found.add(id);
    for (const value of Object.values(workflow[id].inputs ?? {}))
        if (isLink(value))
            needs(workflow, value[0], found);
    return found;
}

/* { error, node_errors } as it answers; `outputs`: node ids of those that will run; `fault`: why nothing will. */
export function check(workflow, targets, hasFile) {
    if (typeof workflow !== 'object' || workflow === null || Array.isArray(workflow))
        return { fault: error('no_prompt', 'No prompt provided', 'No prompt provided'), node_errors: {} };
    for (const [id, node] of Object.entries(workflow)) {
        if (typeof node?.class_type !== 'string')
            return { fault: error('invalid_prompt',
                'Cannot execute because a node is missing the class_type property.', `Node ID '#${id}'`),
                     node_errors: {} };
        if (node.class_type === ABSENT)
            return { fault: error('invalid_prompt', `Cannot execute because node ${node.class_type} does not exist.`,
                `Node ID '#${id}'`), node_errors: {} };
    }
    const wanted = Object.keys(workflow).filter((id) => OUTPUTS.includes(workflow[id].class_type) &&
        (!targets || targets.includes(id)));
    if (wanted.length === 0)
        return { fault: error('prompt_no_outputs', 'Prompt has no outputs'), node_errors: {} };
    const node_errors = {}, outputs = [];
    for (const output of wanted) {
        const bad = [...needs(workflow, output)].map((id) => [id, inputErrors(workflow, workflow[id], hasFile)])
            .filter(([, errors]) => errors.length);
        for (const [id, errors] of bad)
            (node_errors[id] ??= { errors, dependent_outputs: [], class_type: workflow[id].class_type })
                .dependent_outputs.push(output);
        if (bad.length === 0)
            outputs.push(output);
    }
    return { ...outputs.length === 0 && { fault: NOTHING_LEFT }, node_errors, outputs };
}

/* What it would make. The prompt is the text that a sampler takes as positive; failing that, the longest. */
export function wishOf(workflow) {
    const nodes = Object.values(workflow);
    const all = (name) => nodes.map(({ inputs = {} }) => inputs[name]).filter((value) => value !== undefined);
    const input = (name) => all(name).find((value) => !isLink(value));
    const texts = (list) => list.map((node) => node?.inputs?.text).filter((value) => typeof value === 'string');
    const positive = texts(all('positive').filter(isLink).map(([id]) => workflow[id]));
    const [prompt = ''] = positive.length ? positive : texts(nodes).sort((a, b) => b.length - a.length);
    const frames = Number(input('length')), rate = Number(input('fps') ?? input('frame_rate') ?? 16);
    const width = Number(input('width')), height = Number(input('height'));
    return {
        prompt, seed: input('seed') ?? input('noise_seed'), model: input('unet_name') ?? input('ckpt_name'),
        seconds: frames > 0 && rate > 0 ? Math.max(1, Math.floor(frames / rate)) : 2,
        ratio: width > 0 && height > 0 ? `${width}x${height}` : undefined,
        image: nodes.some(({ class_type: name }) => name === 'LoadImage'),
    };
}
