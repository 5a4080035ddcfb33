// Starts the page that the data ask for.
import { Explorer } from "./explorer.js";
import { Lab } from "./lab.js";

export function start(root, data, functions, arrays, model = null) {
  const lab = new Lab(data, functions, arrays);
  root.dynopt = new Explorer(root, lab, model);
  return root.dynopt;
}
