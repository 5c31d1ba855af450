import { Compass } from "lucide-react";
import { Link } from "@/components/link";
import { buttonClass } from "@/components/ui/button";
import { Empty } from "@/components/ui/feedback";

export function NotFound() {
  return (
    <Empty
      icon={<Compass size={28} />}
      title="There is no page at this address"
      action={
        <>
          <Link to="/runs" className={buttonClass("primary")}>
            Runs
          </Link>
          <Link to="/" className={buttonClass()}>
            Home
          </Link>
        </>
      }
    >
      The link may be mistyped, or belong to another server.
    </Empty>
  );
}
