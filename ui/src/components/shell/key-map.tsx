/** All shortcuts that work on the page behind it. */
import { Dialog } from "@/components/ui/dialog";
import { Kbd } from "@/components/ui/tooltip";
import { activeShortcuts } from "@/lib/keys";

const NAMES: Record<string, string> = { "mod+k": "⌘K", Escape: "Esc", Enter: "↵" };

export function KeyMap({ open, onClose }: { open: boolean; onClose: () => void }) {
  const groups = new Map<string, Map<string, string>>();
  if (open) {
    for (const { group, keys, label } of activeShortcuts()) {
      const rows = groups.get(group) ?? new Map<string, string>();
      groups.set(group, rows.set(keys, label));
    }
  }
  return (
    <Dialog open={open} onClose={onClose} title="Keyboard" wide>
      <div className="columns-2 gap-8">
        {[...groups].map(([group, rows]) => (
          <section key={group} className="mb-5 break-inside-avoid">
            <h3 className="mb-1.5 text-label font-medium text-ink-3">{group}</h3>
            <dl>
              {[...rows].map(([keys, label]) => (
                <div key={keys} className="flex items-center justify-between py-1">
                  <dt>{label}</dt>
                  <dd className="flex gap-1">
                    {(NAMES[keys] ?? keys).split(" ").map((key) => (
                      <Kbd key={key}>{key}</Kbd>
                    ))}
                  </dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
    </Dialog>
  );
}
