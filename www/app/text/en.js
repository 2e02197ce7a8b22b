/* Every text of the page in English. A text with something in it is a function. Both languages have the same names (tests/e2e). */

const or = new Intl.ListFormat('en-GB', { type: 'disjunction' });
const and = new Intl.ListFormat('en-GB', { type: 'conjunction' });

/* Bytes. */
const size = (n) => {
    const unit = n < 2 ** 20 ? ['kB', 2 ** 10] : n < 2 ** 30 ? ['MB', 2 ** 20] : ['GB', 2 ** 30];
    const number = new Intl.NumberFormat('en-GB', { maximumFractionDigits: n < 10 * unit[1] ? 1 : 0 });
    return `${number.format(n / unit[1])} ${unit[0]}`;
};

const whole = new Intl.NumberFormat('en-GB', { maximumFractionDigits: 1 });
const percent = new Intl.NumberFormat('en-GB', { style: 'percent', maximumFractionDigits: 0 });
/* Days as the ledger counts them. */
const dayShort = new Intl.DateTimeFormat('en-GB', { timeZone: 'UTC', day: 'numeric', month: 'short' });
const dayLong = new Intl.DateTimeFormat('en-GB', { timeZone: 'UTC', day: 'numeric', month: 'long', year: 'numeric' });

const secondsList = (list) => {
    const inRow = list.length > 2 && list.at(-1) - list[0] === list.length - 1;
    const words = inRow ? `${list[0]} to ${list.at(-1)}` : or.format(list.map(String));
    return `${words} ${list.length === 1 && list[0] === 1 ? 'second' : 'seconds'}`;
};

/* "12 seconds ago" */
const ago = (s) => {
    const [n, unit] = s < 90 ? [s, 'second'] : s < 5400 ? [Math.round(s / 60), 'minute'] : [Math.round(s / 3600), 'hour'];
    return new Intl.RelativeTimeFormat('en-GB', { numeric: 'always' }).format(-n, unit);
};

const videos = (n) => (n === 1 ? '1 video' : `${n} videos`);

export default {
    /* ---- the frame of the page: sign-in, banner, title, notifications ---- */
    shell: {
        skip: 'Skip to the content',
        nav: 'Pages',
        videos: 'Your videos',
        usage: 'Usage',
        support: 'Support',
        signOut: 'Sign out',
        tryNow: 'Try now',
        opening: 'Opening',
        openingWords: 'Opening…',
        waitingForServer: 'Waiting for the server…',
        lineIn: 'A prompt goes in.',
        lineOut: 'A film comes out.',
        key: 'Your API key',
        keyHint: 'It begins with fgk_. The browser keeps only a session cookie that no script can read, not the key.',
        signIn: 'Sign in',
        keyMissing: 'Please enter a key.',
        keyWrong: 'This key is not valid, or it has been revoked.',
        ended: 'Your session has ended. Please sign in again.',
        signedOut: 'You are signed out.',
        notSignedOut: (why) => `Not signed out. ${why}`,
        notSignedOutBriefly: 'Not signed out: no answer',
        back: 'The connection is back.',
        asOf: (clock) => `As of ${clock}`,
        api: 'API description',
        problems: 'What errors mean',
        language: 'Language',
        running: (n) => `(${n}) filmgate`,
        tellMe: 'Tell me when a video is done',
        tellMeOff: 'The browser does not allow messages from this page. Its settings do.',
        tellMeOn: 'You are told when a video is done, while this page is open in some tab.',
    },

    /* ---- states, stages, reasons, events, prices, times: what words.js and money.js choose from ---- */
    words: {
        states: {
            pending: 'Waiting',
            queued: 'In the provider’s queue',
            processing: 'In the making',
            succeeded: 'Ready',
            failed: 'Failed',
            expired: 'Ran out of time',
            canceled: 'Canceled',
            deleted: 'File deleted',
        },
        stages: {
            moderating: 'The content is being checked.',
            in_review: 'Waiting for review: somebody looks at it before it is made.',
            waiting: 'Waiting for a free slot.',
            submitting: 'Being handed to the provider.',
            submit_unknown: 'The provider has not confirmed yet; we are finding out, without asking twice.',
            at_provider: 'Accepted; the provider has not started yet.',
            rendering: 'The provider is rendering.',
            storing: 'Rendered; the file is being fetched and checked.',
        },
        /* What keeps a job waiting besides its turn. */
        waitingFor: {
            operator_budget: 'Paused by the operator’s budget; it goes on by itself.',
            storage: 'The video is made; it waits for room in our store.',
        },
        finishedAnyway: 'You asked to cancel, but the provider finished it all the same.',
        cancelAsked: 'Cancel requested; what the provider has begun it may still finish.',
        nextInLine: 'It is next in line.',
        before: (n) => `${n} before it in line.`,
        beforeIt: 'before it in line',
        percent: 'percent',
        readyIn: (wait) => `Usually ready in ${wait}.`,
        usually: (wait) => `usually ${wait}`,
        about: (units) => `about ${units}`,
        upTo: (units) => `up to ${units}`,
        range: (from, units) => `${from} to ${units}`,
        units: {
            second: (n) => (n === 1 ? '1 second' : `${n} seconds`),
            minute: (n) => (n === 1 ? '1 minute' : `${n} minutes`),
            hour: (n) => (n === 1 ? '1 hour' : `${n} hours`),
        },

        /* [what happened, what one can do]: core/job/reasons.def */
        reasons: {
            blocked_prompt: ['The content policy does not allow this prompt.', 'Change the words and try again.'],
            blocked_image: ['The content policy does not allow this picture.', 'Use another picture.'],
            blocked_output: ['The content policy withheld the result.', 'Change the words and try again.'],
            moderation_unavailable: [
                'The request could not be checked just now, and nothing is made unchecked.',
                'Try again later.',
            ],
            review_expired: ['Nobody could look at this request in time.', 'You can create it again.'],
            image_unreachable: ['The reference image could not be fetched, or is not a picture.', 'Use another picture.'],
            provider_refused: ['The provider did not take this request.', 'Change the prompt or the settings.'],
            provider_failed: ['The provider could not make this video.', 'Trying again often helps.'],
            provider_auth: ['The provider does not accept this service’s access.', 'The operator has to mend that.'],
            provider_credit: ['This service’s account at the provider is empty.', 'The operator has to mend that.'],
            provider_unavailable: ['The provider could not be reached in time.', 'Try again later.'],
            submit_unknown: [
                'The provider never confirmed this request, so it was stopped rather than asked for twice.',
                'You can create it again.',
            ],
            provider_forgot: ['The provider does not know this job any more.', 'You can create it again.'],
            output_unreachable: ['The finished file could not be fetched from the provider.', 'You can create it again.'],
            output_invalid: ['The provider’s file is not a video that can be played.', 'You can create it again.'],
            deadline_exceeded: ['The video was not ready before its deadline.', 'Try again, or with a shorter length.'],
            canceled: ['Canceled on request.', ''],
        },
        found: (category, where) => `Found: ${category}${where ? `, in ${where}` : ''}.`,
        costAnyway: (price) => `It cost ${price} all the same.`,
        targets: { prompt: 'the prompt', negativePrompt: 'what not to show', image: 'the picture', output: 'the result' },

        events: {
            created: 'Created',
            submitting: 'Being handed to the provider',
            not_sent: 'Could not be handed over; will be tried again',
            submit_unknown: 'Handed over, but the provider did not answer',
            not_accepted: 'The provider does not have it; back to waiting',
            accepted: 'The provider accepted it',
            started: 'The provider started',
            progress: 'Progress',
            output_ready: 'Rendered; fetching the file',
            succeeded: 'Stored and checked: ready',
            failed: 'Failed',
            expired: 'Ran out of time',
            canceled: 'Canceled',
            cancel_requested: 'Cancel requested',
            callback: 'The provider called back',
            late_result: 'A result arrived after the end; not charged',
            provider_note: 'The provider said something',
            waiting_for_storage: 'Waiting for room in our store',
            deleted: 'File and prompt deleted',
            redacted: 'Prompt deleted: it had been kept long enough',
            legal_hold: 'Asked to be deleted, but it has to be kept for now',
            operator: 'Our support acted on it',
            rerouted: 'Given to another model',
            cleared: 'Checked: nothing against it',
            held_for_review: 'Held: somebody has to look at it',
            moderation: 'Checked',
            image_stored: 'The first picture has been fetched and kept',
        },
        callbacks: {
            valid: 'The provider called back',
            duplicate: 'The provider called back with the same again',
            late: 'The provider called back after the end; nothing changed',
            superseded: 'A callback about an earlier try arrived; nothing changed',
            forged: 'A callback that is not genuine arrived; it was not believed',
            unknown: 'A callback that fits no job arrived',
            replayed: 'The operator had a callback processed again',
        },
        deletions: { retention: 'File deleted: it had been kept long enough', audit: 'The file was lost' },
        cancels: {
            done: 'The provider stopped it',
            asked: 'The provider was asked to stop',
            too_late: 'The provider was asked to stop, too late',
            deleted: 'It had just finished; the provider deleted the result',
            removed: 'The provider stopped it, or deleted what it had just finished',
        },
        checkAway: 'The content check does not answer; we go on trying',
        reviewed: 'Looked at and let through',
        strangeWord: 'The provider uses a word that we do not know',
        insteadOf: (id) => `instead of ${id}, which is not made any more`,
        retryOf: (id) => `once more, after ${id}`,
        rerouted: ({ from, to, why }) => `from ${from} to ${to}: ${why}`,
        /* While a job waits, more than a failed call counts as not to be had: a pause, too. */
        reroutes: { provider_unavailable: 'the provider takes nothing at the moment' },
        askingOn: (word) => `“${word}”; we go on asking`,
        data: { providerJobId: 'the provider’s id', by: 'known from' },
        by: { callback: 'its callback', operator: 'the operator' },
        unknown: 'Unknown',

        routes: { fast: 'Fast', best: 'Best picture', image: 'From a picture' },
        fields: { aspectRatio: 'shape', seed: 'seed', audio: 'the wish for silence', negativePrompt: 'what not to show' },
        leftOut: (list) => `left out: ${list.join(', ')}`,
        maker: ({ model, provider, route }) => `${model} at ${provider}${route ? `, chosen by “${route}”` : ''}`,
        ratios: { '16:9': 'wide', '9:16': 'tall', '1:1': 'square' },
        erased: 'Prompt erased',
        charactersOver: (n) => `${n} characters too many`,
        charactersLeft: (n) => `${n} characters left`,
        support: (id, request) => `${id}, request ${request}`,

        parked: {
            auth: (name) => `${name} does not accept this service’s access`,
            credit: (name) => `${name} is not paid for at the moment`,
            quota: (name) => `${name} has given out its quota`,
            other: (name) => `${name} takes no new videos`,
        },
        standing: {
            paused: (name) => `${name} is paused`,
            braked: (name) => `${name} is paused by the operator’s budget`,
            failing: (name) => `${name} keeps failing and rests`,
        },
        until: (words, clock) => `${words} until ${clock}`,
        othersMakeIt: 'Other models make it meanwhile.',
        newOnesWait: 'New videos wait.',

        problems: {
            unauthorized: 'This key is not valid, or it has been revoked.',
            forbidden: 'This key may not do that.',
            not_found: 'This video does not exist any more.',
            job_finished: 'It has already ended.',
            job_not_finished: 'It is still being made. Cancel it first.',
            job_moved: 'It changed at the same moment. Look again.',
            rate_limited: 'Too many requests. A moment, please.',
            not_ready: 'The service is not ready.',
            too_large: 'That is too large.',
            plan_limit: 'The plan of this account does not include that.',
            duplicate_request: 'Just this video was asked for a moment ago.',
            quote_used: 'This price has been used for another video. It is asked for anew; please press again.',
            quote_expired: 'This price was held for some minutes only. It is asked for anew; please press again.',
            quote_mismatch: 'The price was for other settings. It is asked for anew; please press again.',
            too_many_blocked: 'Too many requests were blocked by the content policy today. Wait before the next one.',
            paused_by_budget: 'New videos are paused by the operator’s budget.',
            idempotency_key_reused: 'This was already sent with other settings.',
        },
        noConnection: 'No connection to the server. Nothing was changed as far as we know.',
        cannot: 'The server could not do that.',
        withRequest: (words, id) => `${words} (Request ${id})`,
        awaySince: (clock) => `No connection to the server since ${clock}.`,
        slowDown: 'The server asks this page to slow down.',
        cannotSince: (clock, code) => `The server cannot answer since ${clock} (${code}).`,
        seenFrom: (clock) => `What you see is from ${clock}.`,

        /* One limit that has no room. max, used: numbers; price: words for a sum of money. */
        limits: {
            jobsPerMinute: ({ max }) => `This account may make ${videos(max)} a minute.`,
            jobsPerDay: ({ max }) => `This account may make ${videos(max)} a day.`,
            outstandingJobs: ({ max }) =>
                `This account may have ${videos(max)} in the making. Wait until one is ready, or cancel one.`,
            outstandingJobsOfUser: ({ max }) =>
                `One user may have ${videos(max)} in the making. Wait until one is ready, or cancel one.`,
            budgetPerDay: ({ max, used, price }) =>
                `The budget of the day, ${price(max)}, has no room for this: ${price(used)} are spent or held.`,
            budgetPerMonth: ({ max, used, price }) =>
                `The budget of the month, ${price(max)}, has no room for this: ${price(used)} are spent or held.`,
            balance: ({ max, used, price }) =>
                `The balance of ${price(used)} does not cover this${max > 0 ? `, with a credit of ${price(max)}` : ''}.`,
            storageBytes: ({ max }) => `The videos that are kept fill the ${size(max)} there are. Delete some.`,
        },
        /* Where the account's figures are not told. */
        refusals: {
            rate_limited: 'The account has made as many videos as it may for now.',
            job_limit: 'As many videos are in the making as there may be.',
            budget_exceeded: 'The account’s budget has no room for this.',
            balance_too_low: 'The account’s balance does not cover this.',
            storage_limit: 'The account’s storage is full.',
        },
        limitReached: (name) => `The limit ${name} is reached.`,
        freeAgain: (moment) => `Free again: ${moment}.`,
        refusedNow: 'It would be refused just now.',
        charged: (price) => `${price} charged`,
        givenBack: (price) => `Not charged; ${price} given back`,
        held: (price) => `${price} held`,
    },

    /* ---- the form ---- */
    create: {
        title: 'New video',
        prompt: 'Prompt',
        promptExample: 'A lighthouse in a storm, the beam sweeping over black water',
        model: 'Made by',
        shape: 'Shape',
        length: 'Length',
        resolution: 'Resolution',
        more: 'More settings',
        seed: 'Seed',
        seedHint: 'The same seed and prompt give the same film again.',
        sound: 'Sound',
        negative: 'What not to show',
        go: 'Create video',
        goNoRoom: 'No room just now: try anyway',
        goBudget: 'Over the budget: try anyway',
        stopTrying: 'Stop trying',
        facts: 'What it can do',

        filled: 'The words and settings are in the form.',
        variation: 'A variation: everything as before, with a new seed.',
        variationWithoutSeed: 'A variation: everything as before. It comes out differently each time.',
        notOffered: ({ name, now }) => `${name} is not offered any more; ${now} is chosen instead.`,
        isSending: 'The last one is still being sent. One moment.',
        restored: 'Your draft is still here.',
        waitingForModels: 'Waiting for the list of models…',
        noModel: 'No model is set up here.',
        askingPrice: 'Asking for the price…',
        notWithThese: 'Not with these settings',
        priceUnknown: 'The price is not known at the moment',
        asThingsStand: (model) => `${model}, as things stand`,
        perSecond: ({ seconds, price }) => `${seconds} s at ${price} a second`,
        counter: ({ n, max }) => `${n} / ${max}`,
        seconds: (n) => (n === 1 ? '1 second' : `${n} seconds`),
        secondsShort: (n) => `${n} s`,

        size,

        /* what a choice can do, one after the other */
        can: {
            first: (list) => `the first of ${list.length} models that is free and fits`,
            sound: { none: 'silent', choice: 'sound if you like', always: 'always with sound', any: 'sound with some' },
            picture: { none: 'takes no picture', optional: 'takes a picture', required: 'needs a picture' },
            lengths: (list) => secondsList(list),
            shapes: (list) => list.join(', '),
            sizes: (list) => (list.length > 2 ? `${list[0]} to ${list.at(-1)}` : list.join(', ')),
            perSecond: ({ price, from }) => `list price ${from ? 'from ' : ''}${price} a second`,
            perClip: ({ price, from }) => `list price ${from ? 'from ' : ''}${price} a video`,
            until: (day) => `until ${day}`,
        },

        /* what went together, and what does not */
        changed: (list) => `Changed to fit: ${and.format(list)}.`,
        nowIs: {
            aspectRatio: (v) => `the shape is ${v}`,
            duration: (v) => `the length is ${v} s`,
            resolution: (v) => `the resolution is ${v}`,
            audio: (v) => (v === 'true' ? 'with sound' : v === 'false' ? 'silent' : 'sound as it comes'),
        },
        named: {
            aspectRatio: (v) => v,
            duration: (v) => `${v} s`,
            resolution: (v) => v,
            audio: (v) => (v === 'true' ? 'With sound' : v === 'false' ? 'Silent' : 'Either'),
        },
        only: {
            image: (name, [withIt]) => `${name}: only ${withIt ? 'with' : 'without'} a picture.`,
            aspectRatio: (name, list) => `${name}: only in ${or.format(list)}.`,
            duration: (name, list) => `${name}: only at ${secondsList(list)}.`,
            resolution: (name, list) => `${name}: only in ${or.format(list)}.`,
            none: (name) => `${name}: not with this choice.`,
        },
        pictureDecides: 'The picture decides the shape.',
        pictureLeftOut: (name) => `${name} takes no picture: yours is left out.`,

        picture: {
            label: 'First picture',
            optional: 'if you like',
            required: 'needed here',
            how: ({ types, size }) => `Drop it here, paste it, or choose a file: ${types}, up to ${size}.`,
            choose: 'Choose a picture',
            replace: 'Choose another',
            remove: 'Remove',
            stop: 'Stop sending',
            again: 'Send again',
            preview: 'The picture that you chose',
            progress: 'Sent',
            drop: 'Drop the picture',
            address: 'Or its address on the web',
            addressOff: 'Your own picture is used. Remove it to give an address.',
            sending: ({ sent, of }) => `Sending: ${sent} of ${of}`,
            checking: 'All of it is there. It is being checked…',
            ready: ({ width, height, size }) => `Ready: ${width} × ${height}, ${size}.`,
            readySaid: 'The picture is ready.',
            kept: ({ width, height }) => `The picture that was sent for it: ${width} × ${height}.`,
            stopped: 'Not sent.',
            removed: 'The picture is removed.',
            gone: 'The picture has been deleted meanwhile. Choose it once more.',
            noAnswer: 'No answer. It can be sent again; it is kept only once.',
            two: 'One picture only: the first of them is used.',
            wrong: {
                empty: 'The file is empty.',
                bytes: ({ n, max }) => `Too large: it has ${size(n)}, and ${size(max)} are allowed.`,
                type: 'This is no PNG, JPEG or WebP picture.',
                broken: 'The picture is broken: it does not say how large it is.',
                large: ({ width, height, max }) =>
                    `Too large: ${width} × ${height}. At most ${Math.floor(max / 1e6)} million pixels are allowed.`,
                small: ({ width, height, min }) =>
                    `Too small: ${width} × ${height}. Each side needs at least ${min} pixels.`,
                unreadable: 'The file could not be read.',
            },
        },

        /* of a verdict (rules.js): by field and code. */
        wrong: {
            prompt: {
                required: 'Please describe the video.',
                length: ({ n, min, max, model, wish }) =>
                    model
                        ? `${model.name} takes a prompt of at most ${model.promptMax} characters; it has ${wish.promptCharacters}.`
                        : n < min ? 'Please describe the video.' : `At most ${max} characters; it has ${n}.`,
            },
            negativePrompt: { length: ({ n, max }) => `At most ${max} characters; it has ${n}.` },
            seed: {
                type: ({ min, max }) => `A whole number from ${min} to ${max}.`,
                range: ({ min, max }) => `A whole number from ${min} to ${max}.`,
            },
            imageUrl: {
                format: 'An address that begins with https:// or http://, without blanks and without a user name.',
                length: ({ max }) => `At most ${max} characters.`,
                unsupported: ({ model }) => `${model.name} takes no picture.`,
                required: ({ model }) => `${model.name} needs a picture.`,
            },
            uploadId: { value: 'Give the picture once: as a file or as an address.' },
            aspectRatio: {
                value: ({ model, wish }) => (model ? `${model.name} does not make ${wish.aspectRatio}.` : 'Not one of the shapes.'),
            },
            resolution: {
                value: ({ model, wish }) => `${model.name} does not make ${wish.resolution} in ${wish.aspectRatio}.`,
                plan: ({ list }) => `Not in the plan; these are: ${list.join(', ')}.`,
            },
            duration: {
                range: ({ model, list, min, max }) =>
                    model ? `${model.name} takes ${secondsList(model.durations)}.` : `From ${min} to ${max} seconds.`,
                plan: ({ list }) => `Not in the plan; these are: ${list.join(', ')}.`,
            },
            audio: { unsupported: ({ model }) => `${model.name} makes no sound.` },
            model: {
                value: 'This is not offered here.',
                plan: ({ list }) =>
                    list ? `Not in the plan; these are: ${list.join(', ')}.` : 'Priced in another currency than the account’s.',
            },
        },
        against: {
            retired: ({ model }) => `${model.name} was retired on ${model.retiresOn}.`,
            away: ({ model }) => `${model.name} is not set up here.`,
        },
        summary: (n) => (n === 1 ? 'One thing has to be put right:' : `${n} things have to be put right:`),
        pictureOnItsWay: 'The picture is still on its way.',

        left: (list) => `Left: ${list.join('; ')}.`,
        leftOf: {
            balance: ({ left }) => `balance ${left}`,
            credit: ({ left, credit }) => `balance ${left}, and a credit of ${credit}`,
            budgetPerDay: ({ left, max }) => `${left} of ${max} today`,
            budgetPerMonth: ({ left, max }) => `${left} of ${max} this month`,
            jobsPerDay: ({ n }) => (n === 1 ? '1 video today' : `${n} videos today`),
            outstandingJobs: ({ n }) => `room for ${n} more in the making`,
            outstandingJobsOfUser: ({ n }) => `room for ${n} more of yours in the making`,
        },

        sending: 'Sending…',
        noAnswerYet: 'No answer yet.',
        tryingAgain: 'Trying again; it will not be made twice.',
        takenOn: 'Your video has been taken on.',
        stopped: 'Stopped. If it had already arrived, it will show up in the list.',
        askedAgo: (seconds) => `You asked for just this ${ago(seconds)}. Make it again?`,
        askedBefore: 'You asked for just this a moment ago. Make it again?',
        showFirst: 'Show the first one',
        againYes: 'Make it again',
        againNo: 'No, one is enough',
    },

    /* ---- the reel and its cards ---- */
    reel: {
        title: 'Your videos',
        find: 'Find videos',
        showWhat: 'Which videos to show',
        shows: { all: 'All', running: 'In the making', ready: 'Ready', failed: 'Without a video' },
        words: 'Words of the prompt',
        showAll: 'Show all videos',
        older: 'Show older videos',
        tryAgain: (why) => `${why} Try again`,
        looking: 'Looking for your videos…',
        searching: (since) => (since ? `Looking further back than ${since}…` : 'Looking…'),
        none: 'Nothing in the gate yet. Your first video will appear here.',
        noneFound: 'No video is like that.',
        found: (n, more) => (more ? `${n} videos so far` : n === 1 ? '1 video' : `${n} videos`),
        foundBack: (since) => `Looked back as far as ${since}.`,

        whole: 'Show all of it',
        less: 'Show less',
        rendered: 'Rendered',
        noFigure: 'no figure yet',
        took: (span) => `took ${span}`,
        download: 'Download',
        retry: 'Try again',
        variation: 'Make a variation',
        change: 'Change and try again',
        cancel: 'Cancel',
        erase: 'Delete',
        meaning: 'What this means',
        timeline: 'Timeline',
        video: (prompt) => `Video: ${prompt}`,
        gone: 'The file is not kept any more; the timeline says since when and why. A variation makes it anew.',
        kept: (span, moment) => `The file is kept for ${span}, until ${moment}.`,
        keptBriefly: (moment) => `The file will be deleted at any moment (${moment}).`,
        keptForGood: 'The file is kept until it is deleted by hand.',
        fault: {
            request: 'It is about what was asked for, not about the service.',
            provider: 'It is the provider’s fault, not yours.',
            service: 'It is this service’s own fault, not yours.',
        },
        notPlayed: 'The film could not be played. Try to download it.',
        notLoaded: 'The film could not be loaded. Press play to try again.',
        linkExpired: 'The link has expired and the server does not answer. Try again soon.',
        cancelAsked: 'Cancel requested.',
        erased: 'Deleted.',
        retried: 'It is being made once more, as a new video.',
        retryUnsure: 'No answer. Press again: it will not be made twice.',
        told: (prompt, state, news) => `${prompt}: ${state}. ${news}`.trim(),

        /* What comes next, by stage. */
        next: {
            moderating: 'Next: its place in line.',
            in_review: 'Next: a person decides. It cannot be said when; nothing gets lost meanwhile.',
            waiting: 'Next: it goes to the provider as soon as it is its turn.',
            submitting: 'Next: the provider says whether it takes it.',
            submit_unknown: 'Next: we find out whether the provider has it.',
            at_provider: 'Next: the provider begins.',
            rendering: 'Next: we fetch the finished file.',
            storing: 'Next: it is ready.',
        },
        canceling: 'Next: it ends, as a cancel or as what the provider has made of it.',
        lookNow: 'We are looking right now.',
        lookIn: (span) => `We look again in ${span}.`,
        lookSooner: (span) => `We ask the provider again in ${span}, or hear from it sooner.`,
        pageLooks: 'This page follows by itself.',

        step: (span) => `after ${span}`,
        atModel: (model, provider) => (provider ? `${model} at ${provider}` : model),
        request: (id) => `Request ${id}`,

        ask: {
            title: 'Delete this video?',
            words: 'Its file and its prompt are erased for good. This cannot be undone.',
            keep: 'Keep it',
            erase: 'Delete',
        },
        share: {
            open: 'Share',
            title: 'Share this video',
            words: 'Whoever has the link can watch this one video and read its prompt, and nothing else, until the link ends.',
            life: 'The link works for',
            lives: { hour: '1 hour', day: '1 day', week: '7 days', month: '30 days' },
            make: 'Make a link',
            url: 'The link',
            copy: 'Copy',
            copied: 'Copied.',
            copyByHand: 'The link is marked: copy it with the keyboard or the menu.',
            made: 'The link is ready. It is shown only now.',
            shorter: (moment) => `The file itself is deleted on ${moment}; then the link ends, too.`,
            links: 'Links that work',
            link: (made, ends) => `Made ${made}, works until ${ends}`,
            revoke: 'End it',
            revokeLabel: (made) => `End it: the link made ${made}`,
            revoked: 'The link does not work any more.',
            close: 'Close',
        },
    },

    /* ---- the page of a share link ---- */
    share: {
        pageTitle: 'A shared video · filmgate',
        title: 'A shared video',
        looking: 'Looking for the video…',
        video: (prompt) => (prompt ? `Video: ${prompt}` : 'The shared video'),
        prompt: 'Prompt',
        noPrompt: 'The prompt is not kept any more.',
        model: 'Made by',
        made: 'Asked for',
        format: 'Shape and length',
        formatOf: (ratio, resolution, seconds) => `${ratio} · ${resolution} · ${seconds} s`,
        ends: 'To be seen until',
        endsIn: (moment, span) => `${moment} (${span} left)`,
        download: 'Download',
        again: 'Try again',
        notPlayed: 'The film could not be played. Try to download it.',
        incomplete: ['This link is not complete.', 'Some of it was lost on the way. Ask whoever sent it for the whole link.'],
        link_invalid: [
            'This link does not work.',
            'It has ended, it was taken back, or it was not copied as it was. Ask whoever sent it for a new one.',
        ],
        gone: ['The video has been deleted.', 'It was kept for a time only, or its owner has deleted it. No link brings it back.'],
        rate_limited: ['Too many people are asking at once.', 'A moment, please; then try again.'],
        away: ['No answer from the server.', 'The link may well be right. Try again in a moment.'],
    },

    /* ---- usage ---- */
    usage: {
        pageTitle: 'Usage · filmgate',
        title: 'Usage',
        signedOut: 'You are not signed in. Sign in first, then come back to this page.',
        signIn: 'To the sign-in',
        again: 'Try again',
        asOf: (clock) => `As of ${clock}`,

        now: 'As things stand',
        plan: 'Plan',
        balance: 'Balance',
        paysLater: 'This account pays later; what is held is taken off already.',
        prepaid: 'What is held is taken off already.',
        credit: (price) => `It may go ${price} below zero; what is held is taken off already.`,
        limits: {
            jobsPerMinute: 'Videos in a minute',
            jobsPerDay: 'Videos in a day',
            outstandingJobs: 'In the making at once',
            outstandingJobsOfUser: 'Of yours in the making at once',
            budgetPerDay: 'Budget of the day',
            budgetPerMonth: 'Budget of the month',
            storageBytes: 'Kept videos',
        },
        usedOf: (used, max) => `${used} of ${max}`,
        freeAt: (moment) => `All free again: ${moment}.`,
        bytes: size,

        past: 'By day',
        range: 'How far back',
        days: (n) => `${n} days`,
        csv: 'Save as CSV',
        span: (from, to) => `From ${from} to ${to}. Days begin at midnight UTC. A video counts on the day it was asked for.`,
        charged: 'Charged',
        held: 'Held for videos in the making',
        asked: 'Videos asked for',
        seconds: 'Film delivered',
        secondsOf: (n) => (n < 120 ? `${n} s` : `${whole.format(n / 60)} min`),
        rate: (share) => `${percent.format(share)} of those that ended by themselves`,
        count: (n) => whole.format(n),
        videosOf: (n) => (n === 1 ? '1 video' : `${whole.format(n)} videos`),
        spendTitle: 'Spend per day',
        spendIn: (currency) => `Spend per day, ${currency}`,
        outcomesTitle: 'Outcomes per day',
        spend: { charged: 'Charged', held: 'Held' },
        outcomes: { succeeded: 'Ready', failed: 'Failed', canceled: 'Canceled', expired: 'Ran out of time', running: 'In the making' },
        summary: (total, day, most) => `${total} in all; the most on ${day}: ${most}.`,
        nothing: 'Nothing in this time.',
        day: 'Day',
        partOf: (what, n) => `${what} ${n}`,
        dayOf: (day, list) => `${day}: ${list.length ? list.join(', ') : 'nothing'}.`,
        table: 'Show as a table',
        dayShort: (ms) => dayShort.format(ms),
        dayLong: (ms) => dayLong.format(ms),
    },
};
