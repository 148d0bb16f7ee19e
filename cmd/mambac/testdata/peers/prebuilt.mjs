// Tokens per second of node-llama-cpp's prebuilt binary: node prebuilt.mjs
// MODEL THREADS PROMPT GEN. Prints one JSON object.
import {getLlama} from "node-llama-cpp";

const [path, threads, prompt, gen] = [process.argv[2], ...process.argv.slice(3).map(Number)];
const llama = await getLlama({gpu: false, build: "never", maxThreads: threads, logLevel: "error"});
const model = await llama.loadModel({modelPath: path});
const context = await model.createContext({threads, contextSize: prompt + gen + 64, batchSize: 512});
const sequence = context.getSequence();
const ids = (n, from) => Array.from({length: n}, (_, i) => ((i + from) * 7919 + 13) % 1000 + 10);
const speed = async (n, work) => {
    const start = process.hrtime.bigint();
    await work();
    return n / (Number(process.hrtime.bigint() - start) / 1e9);
};
await sequence.evaluateWithoutGeneratingNewTokens(ids(16, 0)); // warm-up
const prefill = await speed(prompt, () => sequence.evaluateWithoutGeneratingNewTokens(ids(prompt, 16)));
const decode = await speed(gen, async () => {
    let n = 0;
    for await (const _ of sequence.evaluate(ids(1, 5), {temperature: 0, yieldEogToken: true})) {
        if (++n === gen) break;
    }
});
console.log(JSON.stringify({prefill, decode}));
await llama.dispose();
