import { addCopyButtons } from "./code.js";
import "./play.js";

addCopyButtons(document);
