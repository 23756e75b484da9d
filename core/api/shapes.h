#ifndef SHAPES_H
#define SHAPES_H
/* What the API answers with, in the notation of openapi.h. A system test holds the daemon's answers against the
 * document that is made from these. */

#define PROBLEM_SHAPE "{state:string,text:string,since:time,calls:integer,next_try:time?}"
#define WAIT_SHAPE    "{endpoint:string,state:string,text:string,since:time,calls:integer,next_try:time?}"
#define FINDING_SHAPE "{level:string,code:string,text:string,hint:string?}"

#define ENDPOINT_SHAPE                                                                                                 \
    "{name:string,connector:string,org_key:string?,org_name:string?,edition:string?,user:string?,present:boolean,"     \
    "block_code:string?,block_text:string?,clock_offset_ms:integer,checked:time?,discovered:time?,"                    \
    "kinds:[{kind:string,fields:integer,stamp_field:string?,create_class:string,"                                      \
    "mirror:{records:integer,read:time?}?}],"                                                                          \
    "quotas:[{name:string,limit:integer,remaining:integer,resets:time?}],state:string?,instances:integer?,"            \
    "auth:{state:string,flow:string,expires_at:time?,since:time?,next_try:time?,words:string?,hint:string?}?,"         \
    "throttled_until:time?,problem:" PROBLEM_SHAPE "?,budget:object?,error:{text:string,hint:string}?}"

#define COUNTS_SHAPE                                                                                                   \
    "{pairs:integer,complete:integer,unsettled:integer,parked:integer,failed:integer,quarantined:integer,"             \
    "failures:integer}"
#define LINK_MEMBERS                                                                                                   \
    "connection:string,kind:string,a_kind:string,b_kind:string,phase:string,enabled:boolean,brake_code:string?,"       \
    "brake_text:string?,created_from:time?,direction:string,every_seconds:integer,"                                    \
    "settings:[{key:string,value:string,pinned:boolean,origin:string}],create_class_a:string?,"                        \
    "create_class_b:string?,reading:[{side:string,changes_read:time?,whole:time?,missed_since:time?,text:string}],"    \
    "counts:" COUNTS_SHAPE "?"
#define LINK_SHAPE "{" LINK_MEMBERS "}"
#define CONNECTION_MEMBERS                                                                                             \
    "name:string,a:string,b:string,state:string,since:time?,block_code:string?,block_text:string?,gone_at:time?,"      \
    "links:[" LINK_SHAPE "]"
#define CONNECTION_SHAPE "{" CONNECTION_MEMBERS "}"

#define STATUS_CONNECTION_SHAPE "{" CONNECTION_MEMBERS ",waits_for:[" WAIT_SHAPE "]}"

#define RUN_COUNT_SHAPE                                                                                                \
    "{to:string,added:integer,updated:integer,matched:integer,"                                                        \
    "failed:integer,conflicts:integer}"
#define RUN_HEAD                                                                                                       \
    "run:integer,run_kind:string,state:string,started:time?,ended:time?,phase:string?,counts:[" RUN_COUNT_SHAPE "]"
#define SYNC_LINK_SHAPE                                                                                                \
    "{" LINK_MEMBERS ",observed_a:integer?,observed_b:integer?,estimated_a:integer?,estimated_b:integer?,"             \
    "running:{" RUN_HEAD ",pushed:integer,planned:integer,rate_per_second:number?,eta_seconds:integer?,"               \
    "eta_bound:string?,eta_endpoint:string?,eta_quota:string?,eta_opens:time?}?,last_run:{" RUN_HEAD "}?,"             \
    "failures:[{code:string,count:integer}]}"
#define SYNC_SHAPE                                                                                                     \
    "{name:string,state:string,since:time?,block_code:string?,block_text:string?,waits_for:[" WAIT_SHAPE "],"          \
    "links:[" SYNC_LINK_SHAPE "]}"
#define FIELD_SHAPE                                                                                                    \
    "{kind:string,path:string,name:string,label:string,type:string,max:integer?,required:boolean,read_only:boolean,"   \
    "custom:boolean,unique:boolean,match:boolean,stamp:boolean,closed:boolean,create_only:boolean,"                    \
    "n_choices:integer?,refers_to:string?,choices:[{value:string,label:string}]}"
#define MAP_SHAPE                                                                                                      \
    "{no:integer,a:string,b:string,a_name:string?,b_name:string?,a_label:string?,b_label:string?,direction:string,"    \
    "policy:string?,to_a:string?,to_b:string?,transform:string?,back:string?,unless_blank:boolean,default:boolean,"    \
    "suspended:string?}"
#define MAP_EXPORT_SHAPE "{map:integer,connection:string,kind:string,rows:[object]}"
#define MAP_PREVIEW_SHAPE                                                                                              \
    "{a_id:string?,b_id:string?,items:[{a:string,b:string,direction:string,transform:string?,back:string?,"            \
    "usable:boolean,a_value:string?,b_value:string?,would_be_a:object?,would_be_b:object?,equal:boolean?}]}"
#define FUNCTION_SHAPE    "{name:string,usage:string,takes:string,gives:string,summary:string,no_way_back:string?}"
#define MAP_FINDING_SHAPE "{level:string,code:string,text:string,a:string?,b:string?}"
#define WEBHOOK_SHAPE                                                                                                  \
    "{endpoint:string,id:string?,kinds:string,subscribed:time?,expires:time?,last_received:time?,accepted:integer,"    \
    "refused:integer,duplicates:integer}"
#define RUN_SHAPE                                                                                                      \
    "{run:integer,date:time?,ended:time?,connection:string,source:string,destination:string,kind:string?,"             \
    "run_kind:string,state:string,to:string,conflicts:integer,added:integer,updated:integer,matched:integer,failed:"   \
    "integer}"
#define FAILURE_SHAPE                                                                                                  \
    "{id:integer,connection:string,kind:string,pair:integer?,side:string,record:string,a_id:string?,b_id:string?,"     \
    "name:string?,email:string?,value:string?,code:string,reason:string,hint:string,detail:string?,field:string?,"     \
    "vendor_code:string?,vendor_text:string?,"                                                                         \
    "first:time?,time:time?,count:integer,run:integer,retry:string,next_try:time?,resolved:time?,resolved_by:string?}"
#define PAIR_MEMBERS                                                                                                   \
    "pair:integer,connection:string,kind:string,status:string,name:string?,email:string?,a_id:string?,b_id:string?,a_" \
    "state:string,"                                                                                                    \
    "b_state:string,adopted:boolean,made:time?,synced:time?"
#define PAIR_SHAPE "{" PAIR_MEMBERS "}"
#define PAIR_FIELD_SHAPE                                                                                               \
    "{a_field:string,b_field:string,a:string?,b:string?,a_agreed:string?,b_agreed:string?,a_edited:time?,"             \
    "b_edited:time?,direction:string?,policy:string?,transformed:boolean,pending:{what:string,to:string?,"             \
    "why:string?}?,written:{to:string,at:time?,run:integer,cause:string,before:string?,after:string?,rule:string?,"    \
    "by:string?,edited:time?}?,lost:{side:string,value:string?,at:time?,run:integer}?}"
#define PAIR_WHOLE_SHAPE                                                                                               \
    "{" PAIR_MEMBERS ",a_changed:time?,a_changed_by:string?,b_changed:time?,b_changed_by:string?,"                     \
    "fields:[" PAIR_FIELD_SHAPE "],history:[{op:string,at:time?,run:integer,to:string,cause:string?,fields:any?}],"    \
    "failures:[" FAILURE_SHAPE "]}"
#define PLAN_SHAPE                                                                                                     \
    "{run:integer,run_kind:string,dry_run:boolean,connection:string,state:string,phase:string?,started:time?,ended:"   \
    "time?,done:"                                                                                                      \
    "integer,total:integer?,age_seconds:integer?,old:boolean,about:integer?,approved:[integer],items:[{kind:string?,"  \
    "what:string,to:string,source:string,destination:string,state:string,count:integer}],calls:[{endpoint:string,to:"  \
    "string,writes:integer,reads:integer,remaining:integer?,seconds:number?}],seconds:number?}"
#define PLAN_ITEM_SHAPE                                                                                                \
    "{item:integer,kind:string?,what:string,to:string,a_id:string?,b_id:string?,who:string?,code:string?,field:"       \
    "string?,detail:string?,fields:[object],pair:integer?,state:string}"
#define CONFLICT_SHAPE                                                                                                 \
    "{pair:integer,connection:string,kind:string,field:string,b_field:string,a_id:string?,b_id:string?,a:any?,"        \
    "b:any?,since:time?}"
#define GRANTED_SHAPE   "{object:string,access:string,granted:[string]}"
#define PROFILE_MEMBERS "profile:string,name:string,administrator:boolean,new:boolean,visible:boolean,first_seen:time?"
#define PROFILE_SHAPE   "{" PROFILE_MEMBERS ",objects:[{object:string,access:string}]}"
#define PROFILE_WHOLE_SHAPE                                                                                            \
    "{" PROFILE_MEMBERS ",objects:[{object:string,access:string,granted:[string],not_granted:[string]}]}"
#define PROFILE_CHANGE_SHAPE                                                                                           \
    "{dry_run:boolean,connection:string,profile:string,name:string,visible:boolean,before:[" GRANTED_SHAPE             \
    "],after:[" GRANTED_SHAPE "]}"
#define PERMISSION_SHAPE                                                                                               \
    "{profile:string,name:string,object:string,item:string,allowed:boolean,decided_by:{object:string,item:string,"     \
    "there:boolean},text:string}"

#define ACT_SHAPE                                                                                                      \
    "{act:integer,key:string,connection:string?,endpoint:string?,kind:string,name:string,record:string?,who:string,"   \
    "person:string?,beside:{kind:string,id:string?}?,state:string,params:object?,before:object?,after:object?,"        \
    "code:string?,text:string?,made:time,ended:time?,next_look:time?,looks:integer}"
#endif
