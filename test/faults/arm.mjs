/** Loaded before busyd (`node --import`): makes its fault points those of armed.mjs, in executors too. */
import { register } from 'node:module';

register('./hooks.mjs', import.meta.url);
