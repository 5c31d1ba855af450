/** Components in files of their own, which may be fetched before they are shown. */
import { type ComponentType, lazy, useState } from "react";

type Module<Props> = { default: ComponentType<Props> };

/**
 * As `lazy`, but one that is there already is shown at once: React keeps a fallback up for a third of a second.
 * Call `preload` as soon as it is known that it will be shown.
 */
export function late<Props extends object>(load: () => Promise<Module<Props>>) {
  let known: ComponentType<Props> | undefined;
  const fetch = async () => {
    const module = await load();
    known = module.default;
    return module;
  };
  const Lazy = lazy(fetch) as unknown as ComponentType<Props>;
  function Late(props: Props) {
    // Kept, since another component in its place would lose its state.
    const [Shown] = useState(() => known ?? Lazy);
    return <Shown {...props} />;
  }
  const preload = () => {
    // Whoever shows it tells what went wrong.
    fetch().catch(() => undefined);
  };
  return Object.assign(Late, { preload });
}
