/** The last runs of something as a row of small states, the newest at the right. */
import type { RunDot } from "@/api/generated";
import { Link } from "@/components/link";
import { StateIcon } from "@/components/ui/state";
import { Tip } from "@/components/ui/tooltip";
import { runAddress } from "@/lib/addresses";
import { duration } from "@/lib/format";
import { stateOf, WORDS } from "@/lib/state";

export function RunDots({ runs }: { runs: readonly RunDot[] }) {
  if (runs.length === 0) return <span className="text-ink-3">No runs</span>;
  return (
    <span className="flex items-center">
      {[...runs].reverse().map((run) => {
        const state = stateOf(run.state);
        return (
          <Tip
            key={run.run_id}
            text={`${run.display_name}: ${WORDS[state].toLowerCase()}, ${duration(run.duration_ms)}`}
          >
            <Link
              to={runAddress(run.run_id)}
              aria-label={`${run.display_name}: ${WORDS[state]}`}
              className="flex size-6 items-center justify-center rounded-control hover:bg-hover"
            >
              <StateIcon state={state} size={14} />
            </Link>
          </Tip>
        );
      })}
    </span>
  );
}
