import { EngineError } from "../api/engine-error.ts";
import type { EngineModel } from "../messages.ts";
import type { LlamaLibrary } from "./llama.ts";
import { LoadedModel } from "./loaded-model.ts";

export interface ModelsOptions {
  models: readonly EngineModel[];
  library: LlamaLibrary;
  onLoaded: (id: string) => void;
}

/** The models of the engine; each is loaded when it is first asked for, and stays. */
export class Models {
  readonly #options: ModelsOptions;
  readonly #loading = new Map<string, Promise<LoadedModel>>();
  readonly #loaded = new Map<string, LoadedModel>();

  constructor(options: ModelsOptions) {
    this.#options = options;
  }

  get all(): readonly { id: string; model: LoadedModel | undefined }[] {
    return this.#options.models.map(({ id }) => ({ id, model: this.#loaded.get(id) }));
  }

  /** Throws {@link EngineError}: `model_not_found`, `model_unavailable`. */
  get(id: string): Promise<LoadedModel> {
    const known = this.#loading.get(id);
    if (known) return known;
    const spec = this.#options.models.find((model) => model.id === id);
    if (!spec)
      return Promise.reject(new EngineError("model_not_found", "The embedded engine has no such model.", "model"));
    const loading = this.#load(spec);
    this.#loading.set(id, loading);
    return loading;
  }

  async #load(spec: EngineModel): Promise<LoadedModel> {
    const { library, onLoaded } = this.#options;
    try {
      const model = await LoadedModel.load(spec, library);
      this.#loaded.set(spec.id, model);
      onLoaded(spec.id);
      return model;
    } catch (error) {
      this.#loading.delete(spec.id);
      throw error;
    }
  }
}
