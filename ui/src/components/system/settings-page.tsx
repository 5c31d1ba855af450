/** Choices of the person at this browser. */
import { PageBody, PageHeader, Section } from "@/components/shell/page";
import { Field, Select } from "@/components/ui/field";
import { usePreference } from "@/lib/preferences";

const CHOICES: [string, string, string, [string, string][]][] = [
  [
    "theme",
    "Theme",
    "system",
    [
      ["system", "as the system"],
      ["light", "light"],
      ["dark", "dark"],
    ],
  ],
  [
    "density",
    "Rows of lists",
    "comfortable",
    [
      ["comfortable", "comfortable"],
      ["compact", "compact"],
    ],
  ],
  [
    "zone",
    "Exact times",
    "local",
    [
      ["local", "in my time zone"],
      ["utc", "in UTC"],
    ],
  ],
  [
    "logs.wrap",
    "Long lines of logs",
    "no",
    [
      ["no", "run on"],
      ["yes", "are wrapped"],
    ],
  ],
];

export function SettingsPage() {
  return (
    <>
      <PageHeader title="Settings" />
      <PageBody narrow>
        <Section title="This browser">
          <div className="grid gap-4 p-4 md:grid-cols-2">
            {CHOICES.map(([key, label, initial, options]) => (
              <Choice key={key} name={key} label={label} initial={initial} options={options} />
            ))}
          </div>
        </Section>
      </PageBody>
    </>
  );
}

function Choice({
  name,
  label,
  initial,
  options,
}: {
  name: string;
  label: string;
  initial: string;
  options: [string, string][];
}) {
  const [value, setValue] = usePreference(name, initial);
  return (
    <Field label={label}>
      {(ids) => (
        <Select {...ids} value={value} onChange={(event) => setValue(event.target.value)}>
          {options.map(([id, text]) => (
            <option key={id} value={id}>
              {text}
            </option>
          ))}
        </Select>
      )}
    </Field>
  );
}
