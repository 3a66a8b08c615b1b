-- For what we may use what we know of a customer: versioned purposes, and what each customer said to them.

create table purpose (
    purpose    text not null constraint purpose_known check (purpose in (
        'service', 'personalisation', 'device_profiling', 'marketing_app', 'marketing_email', 'marketing_sms',
        'staff_contact', 'location', 'research')),
    version    integer not null constraint purpose_version_counts_from_one check (version >= 1),
    basis      text not null constraint purpose_basis check (basis in ('contract', 'legitimate_interest', 'consent')),
    words      jsonb not null constraint purpose_in_every_language check (words ?& array['en', 'ko', 'zh']),
    valid_from timestamptz not null,
    primary key (purpose, version)
);
comment on column purpose.basis is
    'On `consent` a purpose holds once it is given, on any other basis until it is withdrawn.';
comment on column purpose.words is 'What the customer is told and agrees to, by language.';

create table consent (
    consent_id  bigint generated always as identity primary key,
    customer_id text not null references customer,
    purpose     text not null,
    version     integer not null,
    given       boolean not null,
    at          timestamptz not null,
    source      text not null constraint consent_source check (source ~ '^[a-z][a-z_]*$'),
    evidence    jsonb not null constraint consent_evidence_is_an_object check (jsonb_typeof(evidence) = 'object'),
    constraint consent_to_a_version foreign key (purpose, version) references purpose
);
create index consent_by_customer on consent (customer_id, purpose, at desc, consent_id desc);
comment on column consent.given is 'False is a withdrawal.';
comment on column consent.version is 'Of which version they were told when they said it.';
comment on column consent.source is 'Where they said it: app, web, store, import, …';
comment on column consent.evidence is 'What proves that they said it: a request, a form, whoever wrote it down.';

-- What was said, and what it was said to, stays as it was: who changes their mind says something new.
create function consent_only_grows() returns trigger language plpgsql as $$
begin
    raise exception '% takes no %: add a new row instead', tg_table_name, lower(tg_op)
        using errcode = 'check_violation', constraint = 'consent_only_grows';
end $$;
create trigger consent_only_grows before update or delete or truncate on consent
    for each statement execute function consent_only_grows();
create trigger purpose_only_grows before update or delete or truncate on purpose
    for each statement execute function consent_only_grows();

-- The one rule: which purposes hold for which customers at a moment. Ids are those of customers who were not merged.
-- The newest word on a purpose counts. Who was asked and said yes to an older version has not said yes to this one;
-- who said no to an older version has said no. Of a purpose that has no version yet at that moment nothing holds.
create function consents_in_force(customer_ids text[], moment timestamptz)
returns table (customer_id text, purpose text) language sql stable as $$
    select asked.customer_id, p.purpose
    from unnest(customer_ids) asked (customer_id)
    cross join (select distinct on (v.purpose) v.purpose, v.version, v.basis from purpose v
                where v.valid_from <= moment order by v.purpose, v.valid_from desc, v.version desc) p
    left join (select distinct on (c.customer_id, c.purpose) c.customer_id, c.purpose, c.version, c.given
               from consent c where c.customer_id = any(customer_ids) and c.at <= moment
               order by c.customer_id, c.purpose, c.at desc, c.consent_id desc) said
        on said.customer_id = asked.customer_id and said.purpose = p.purpose
    where case p.basis when 'consent' then said.given and said.version = p.version else coalesce(said.given, true) end
$$;

-- The same for one customer and one purpose, for a query that asks about many rows.
create function consent_in_force(customer_id text, purpose text, moment timestamptz)
returns boolean language sql stable as $$
    select exists (select 1 from consents_in_force(array[$1], $3) held where held.purpose = $2)
$$;

-- The first version of each purpose is what Millpond has done so far: offers from what devices say, shown in the app,
-- until somebody says no. Nothing else was done, and nothing else may be done before somebody says yes.
insert into purpose (purpose, version, basis, valid_from, words) values
('service', 1, 'contract', '-infinity', '{
    "en": "We run your account, your devices, your orders and what you are credited for.",
    "ko": "고객님의 계정, 기기, 주문과 담당 직원 정보를 관리합니다.",
    "zh": "我们管理您的账户、设备、订单以及为您服务的店员信息。"}'),
('personalisation', 1, 'legitimate_interest', '-infinity', '{
    "en": "We choose what we offer you by what you own and what you ordered.",
    "ko": "보유하신 제품과 주문 내역에 맞추어 제안을 골라 드립니다.",
    "zh": "我们根据您拥有的产品和订单为您挑选推荐内容。"}'),
('device_profiling', 1, 'legitimate_interest', '-infinity', '{
    "en": "From what your devices report we work out how you use them and when a part runs out.",
    "ko": "기기가 보내는 데이터로 사용 방식과 소모품의 교체 시기를 계산합니다.",
    "zh": "我们根据设备上报的数据推算您的使用情况和耗材的更换时间。"}'),
('marketing_app', 1, 'legitimate_interest', '-infinity', '{
    "en": "We show you offers in the app and on your page.",
    "ko": "앱과 고객님의 페이지에 제안을 보여 드립니다.",
    "zh": "我们在应用和您的页面上向您展示优惠。"}'),
('marketing_email', 1, 'consent', '-infinity', '{
    "en": "We send you offers by e-mail.",
    "ko": "이메일로 제안을 보내 드립니다.",
    "zh": "我们通过电子邮件向您发送优惠。"}'),
('marketing_sms', 1, 'consent', '-infinity', '{
    "en": "We send you offers by text message.",
    "ko": "문자 메시지로 제안을 보내 드립니다.",
    "zh": "我们通过短信向您发送优惠。"}'),
('staff_contact', 1, 'consent', '-infinity', '{
    "en": "The staff member who looks after you may contact you about offers.",
    "ko": "담당 직원이 제안과 관련하여 고객님께 연락할 수 있습니다.",
    "zh": "为您服务的店员可就优惠事宜与您联系。"}'),
('location', 1, 'consent', '-infinity', '{
    "en": "We use where you are, for example that you are near one of our stores.",
    "ko": "매장 근처에 계신지 등 고객님의 위치를 이용합니다.",
    "zh": "我们使用您的位置信息，例如您在我们门店附近。"}'),
('research', 1, 'consent', '-infinity', '{
    "en": "We use your data, without your name, to make our products and forecasts better.",
    "ko": "이름을 제외한 고객님의 데이터를 제품과 예측의 개선에 이용합니다.",
    "zh": "我们使用去除姓名后的数据来改进产品和预测。"}');
