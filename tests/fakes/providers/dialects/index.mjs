/* All dialects, by the name that is also their prefix, their key and their adapter's. */
import comfyui from './comfyui.mjs';
import fal from './fal.mjs';
import kling from './kling.mjs';
import luma from './luma.mjs';
import luma_agents from './luma_agents.mjs';
import minimax from './minimax.mjs';
import openai from './openai.mjs';
import replicate from './replicate.mjs';
import runway from './runway.mjs';
import veo from './veo.mjs';

export const dialects = {
    comfyui, fal, kling, luma, luma_agents, minimax, openai, replicate, runway, veo,
};
